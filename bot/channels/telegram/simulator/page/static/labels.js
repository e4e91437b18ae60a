// The page's own words in two languages; what the bot says is the bot's business.
const LABELS = {
  zh: {
    notice: "Siyu 自带的 Telegram 模拟器 · 人是假的，机器人是真的",
    pretend: "模拟用户", choose: "选择一个聊天，开始和机器人对话", back: "返回", more: "更多", commands: "命令菜单",
    write: "发消息…", keyboard: "按键", attach: "附件", send: "发送", who: "用谁的身份聊天？",
    whoHint: "每个模拟用户都有自己的聊天记录。", newPerson: "新建模拟用户", firstName: "名字", lastName: "姓氏（可选）",
    phone: "手机号（可选）", appLanguage: "App 语言", create: "创建并进入", ok: "好", start: "开始", restart: "解除屏蔽并重新开始",
    bot: "机器人", group: "群聊", blocked: "已屏蔽", typing: "正在输入…", edited: "已编辑", deleted: "消息已删除",
    block: "屏蔽机器人", unblock: "解除屏蔽", again: "重新发送 /start", photo: "示例照片", ownPhoto: "选择照片…", document: "选择文件…",
    contact: "我的联系方式", otherContact: "别人的名片", location: "位置", sticker: "贴纸", today: "今天", yesterday: "昨天",
    noMessages: "还没有消息", you: "你", offline: "连接断开，正在重连…", noCommands: "机器人没有设置命令", noPhone: "这个用户没有手机号",
    photoName: "[照片]", stickerName: "[贴纸]", documentName: "[文件]", contactName: "[名片]", locationName: "[位置]",
    friend: "王小明", aboutHint: "点下面的按钮开始对话。", opens: "按钮会打开：", copied: "已复制：", failed: "出错了：", tooBig: "文件太大，最多 20 MB", deepLink: "带着深度链接参数开始：",
  },
  en: {
    notice: "Siyu’s Telegram simulator · pretend people, the real bot",
    pretend: "Pretend user", choose: "Choose a chat to talk to the bot", back: "Back", more: "More", commands: "Commands",
    write: "Message", keyboard: "Keyboard", attach: "Attach", send: "Send", who: "Who are you today?",
    whoHint: "Each pretend user has chats of their own.", newPerson: "New pretend user", firstName: "First name", lastName: "Last name (optional)",
    phone: "Phone (optional)", appLanguage: "App language", create: "Create and enter", ok: "OK", start: "Start", restart: "Unblock and restart",
    bot: "bot", group: "group", blocked: "blocked", typing: "typing…", edited: "edited", deleted: "Message deleted",
    block: "Block bot", unblock: "Unblock bot", again: "Send /start again", photo: "Sample photo", ownPhoto: "Choose a photo…", document: "Choose a file…",
    contact: "My contact", otherContact: "Somebody else’s card", location: "Location", sticker: "Sticker", today: "Today", yesterday: "Yesterday",
    noMessages: "No messages yet", you: "You", offline: "Connection lost, trying again…", noCommands: "The bot has set no commands", noPhone: "This user has no phone number",
    photoName: "Photo", stickerName: "Sticker", documentName: "File", contactName: "Contact", locationName: "Location",
    friend: "Alex Green", aboutHint: "Press the button below to begin.", opens: "The button opens: ", copied: "Copied: ", failed: "Something went wrong: ", tooBig: "The file is too big: at most 20 MB", deepLink: "Start with the deep link’s payload: ",
  },
};

let language = stored() || ((navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en");

function stored() {
  const asked = new URLSearchParams(location.search).get("lang");
  const kept = asked || localStorage.getItem("siyu.simulator.language");
  return kept in LABELS ? kept : null;
}

export const label = (name) => LABELS[language][name] ?? name;
export const locale = () => (language === "zh" ? "zh-CN" : "en-GB");

export function useLanguage(next) {
  language = next;
  localStorage.setItem("siyu.simulator.language", next);
  applyLabels();
}

export function applyLabels() {
  document.documentElement.lang = locale();
  for (const node of document.querySelectorAll("[data-label]")) node.textContent = label(node.dataset.label);
  for (const node of document.querySelectorAll("[data-title]")) {
    node.title = label(node.dataset.title);
    node.setAttribute("aria-label", node.title);
  }
  for (const node of document.querySelectorAll("[data-placeholder]")) node.placeholder = label(node.dataset.placeholder);
  for (const node of document.querySelectorAll("[data-language]")) {
    node.setAttribute("aria-pressed", String(node.dataset.language === language));
  }
}
