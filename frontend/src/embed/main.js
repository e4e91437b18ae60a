// The one script that a brand puts on its pages:
//   <script src="https://chat.example.org/chat/embed.js" async></script>
// Optional: data-start (source code of this place), data-bot (number of a bot), data-locale, data-label, data-side="left", data-colour="#14705a".
(() => {
  const script = document.currentScript;
  if (!script || window.__siyuChat) return;
  window.__siyuChat = true;

  const origin = new URL(script.src).origin;
  const options = script.dataset;
  const isChinese = (options.locale || document.documentElement.lang || navigator.language || "").startsWith("zh");
  const words = isChinese ? { open: "打开聊天", close: "关闭聊天" } : { open: "Open the chat", close: "Close the chat" };
  const colour = /^#[0-9a-f]{3,8}$/i.test(options.colour || "") ? options.colour : "#14705a";
  const side = options.side === "left" ? "left" : "right";
  let frame = null;
  let isOpen = false;
  let unread = 0;

  // A shadow root keeps the page's styles out and ours in.
  const host = document.createElement("div");
  const shadow = host.attachShadow({ mode: "closed" });
  const style = (node, rules) => Object.entries(rules).forEach(([name, value]) => node.style.setProperty(name, value));

  const button = document.createElement("button");
  button.type = "button";
  style(button, {
    position: "fixed", [side]: "20px", bottom: "20px", width: "60px", height: "60px", border: "0", padding: "0",
    "border-radius": "50%", background: colour, color: "#fff", cursor: "pointer", "z-index": "2147483000",
    "box-shadow": "0 8px 24px rgba(15,30,25,.28)", display: "grid", "place-items": "center",
  });
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({
    viewBox: "0 0 24 24", width: "28", height: "28", fill: "none", stroke: "currentColor",
    "stroke-width": "1.8", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true",
  })) shape.setAttribute(name, value);
  const line = document.createElementNS(shape.namespaceURI, "path");
  shape.append(line);
  const count = document.createElement("span");
  style(count, {
    position: "absolute", top: "-4px", right: "-4px", "min-width": "20px", height: "20px", padding: "0 5px", display: "none",
    "box-sizing": "border-box", "border-radius": "10px", background: "#ad3226", color: "#fff", font: "700 12px/20px sans-serif",
  });
  button.append(shape, count);
  shadow.append(button);

  function chatAddress() {
    const address = new URL("/chat/embed", origin);
    if (options.start) address.searchParams.set("start", options.start);
    if (options.bot) address.searchParams.set("bot", options.bot);
    if (options.locale) address.searchParams.set("locale", options.locale);
    return address.href;
  }

  function makeFrame() {
    frame = document.createElement("iframe");
    frame.src = chatAddress();
    frame.title = options.label || words.open;
    frame.referrerPolicy = "strict-origin";
    style(frame, { position: "fixed", border: "0", "z-index": "2147483001", "background-color": "#eaf0e6", "color-scheme": "normal" });
    shadow.append(frame);
  }

  // On a phone the chat fills the screen, elsewhere it floats above the button.
  function fit() {
    if (!frame) return;
    const isSmall = innerWidth < 520;
    style(frame, isSmall
      ? { inset: "0", width: "100%", height: "100%", "border-radius": "0", "box-shadow": "none" }
      : {
          inset: "auto", [side]: "20px", bottom: "92px", width: "390px", height: `${Math.min(640, innerHeight - 112)}px`,
          "border-radius": "18px", "box-shadow": "0 24px 60px rgba(15,30,25,.3)",
        });
  }

  function show() {
    line.setAttribute("d", isOpen ? "M18 6 6 18M6 6l12 12" : "M3 20l1.3-3.9A8.5 8.5 0 1 1 7.9 19L3 20M8.5 12h.01M12 12h.01M15.5 12h.01");
    button.setAttribute("aria-label", isOpen ? words.close : options.label || words.open);
    button.setAttribute("aria-expanded", String(isOpen));
    count.textContent = unread > 9 ? "9+" : String(unread);
    count.style.display = unread && !isOpen ? "block" : "none";
    if (frame) frame.style.display = isOpen ? "block" : "none";
  }

  function toggle(next) {
    isOpen = next;
    if (isOpen) unread = 0;
    if (isOpen && !frame) makeFrame();
    fit();
    show();
    if (isOpen) frame.focus();
    else button.focus();
  }

  button.addEventListener("click", () => toggle(!isOpen));
  addEventListener("resize", fit);
  addEventListener("keydown", (event) => event.key === "Escape" && isOpen && toggle(false));
  addEventListener("message", (event) => {
    if (event.origin !== origin || event.source !== frame?.contentWindow) return;
    if (event.data?.siyu === "close") toggle(false);
    if (event.data?.siyu === "message" && !isOpen) {
      unread += 1;
      show();
    }
  });
  show();
  const attach = () => document.body.append(host);
  if (document.body) attach();
  else addEventListener("DOMContentLoaded", attach);
})();
