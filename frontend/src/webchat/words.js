// The few words of the page itself; everything else is said by the server, in the member's language.

const WORDS = {
  "zh-CN": {
    connecting: "正在连接…",
    online: "在线",
    offline: "网络已断开，正在重连…",
    write: "输入消息…",
    send: "发送",
    close: "关闭聊天",
    more: "更多",
    language: "切换到英文",
    languageLabel: "EN",
    older: "查看更早的消息",
    toEnd: "回到最新消息",
    menu: "菜单",
    conversation: "聊天记录",
    typing: "对方正在输入",
    sharePhone: "填写手机号",
    shareLocation: "发送我的位置",
    noLocation: "无法获取位置，请直接输入地址。",
    noPhoto: "这里暂时不能发送图片，请用文字描述。",
    tooLong: "消息最多 4096 个字符。",
    today: "今天",
    yesterday: "昨天",
    sending: "发送中",
    sent: "已发送",
    photo: "图片",
  },
  en: {
    connecting: "Connecting…",
    online: "Online",
    offline: "No connection, trying again…",
    write: "Write a message…",
    send: "Send",
    close: "Close the chat",
    more: "More",
    language: "Switch to Chinese",
    languageLabel: "中",
    older: "Show earlier messages",
    toEnd: "Go to the newest message",
    menu: "Menu",
    conversation: "Conversation",
    typing: "Typing",
    sharePhone: "Type my phone number",
    shareLocation: "Send my location",
    noLocation: "Your location is not available. Please type the address.",
    noPhoto: "Pictures cannot be sent here yet. Please describe it in words.",
    tooLong: "A message has at most 4096 characters.",
    today: "Today",
    yesterday: "Yesterday",
    sending: "Sending",
    sent: "Sent",
    photo: "Picture",
  },
};

let current = "en";

export function setLocale(locale) {
  current = locale in WORDS ? locale : "en";
  document.documentElement.lang = current;
}

export function locale() {
  return current;
}

export function w(key) {
  return WORDS[current][key];
}
