import "../styles/webchat.css";
import { el } from "../common/dom.js";
import { connect } from "./connection.js";
import { createEntry } from "./entry.js";
import { recall, remember } from "./memory.js";
import { createOutbox, newId } from "./outbox.js";
import { createScrolling } from "./scrolling.js";
import { createTranscript } from "./transcript.js";
import { locale, setLocale, w } from "./words.js";

const STALE_TOKEN = new Set(["token_invalid", "token_expired", "unauthorized"]);
const ANSWER_TIME = 8000;
const DOUBLE_TAP = 600;

const find = (part) => document.querySelector(`[data-${part}]`);
const settings = document.body.dataset;
const outbox = createOutbox();
let start = new URLSearchParams(location.search).get("start") || settings.start || null;
let hasOlder = false;
let isLoading = false;
let lastReceived = null;
let lastSeen = null;
let state = "connecting";
let answerTimer = 0;
let lastTap = { data: null, at: 0 };
let hasSwitched = false;

const transcript = createTranscript(find("messages"), tap);
const scrolling = createScrolling({
  log: find("log"),
  toEnd: find("to-end"),
  unread: find("unread"),
  onTop: loadOlder,
  onSeen: tellSeen,
});
const entry = createEntry({ form: find("entry"), onText: say, onNote: note });

setLocale(recall("locale") || settings.locale);
rename();
outbox.all().forEach((frame) => frame.type === "text" && transcript.addPending(frame.id, frame.text));

const address = new URL(settings.socket, location.href);
address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
const connection = connect({
  url: address.href,
  greet: () => ({ type: "hello", token: recall("token"), locale: locale(), start, switched: hasSwitched }),
  onFrame: (frame) => handlers[frame.type]?.(frame),
  onState: showState,
});

const handlers = {
  welcome(frame) {
    remember("token", frame.token);
    start = null;
    hasSwitched = false;
    if (frame.locale && frame.locale !== locale()) {
      setLocale(frame.locale);
      rename();
    }
    showBrand(frame.brand);
    showMenu(frame.menu || []);
    connection.welcomed();
    connection.send({ type: "history", before: null });
    outbox.all().forEach((waiting) => connection.send(waiting));
  },
  history({ messages = [], more = false }) {
    const isOlder = isLoading;
    if (isOlder || !transcript.oldestId()) hasOlder = more;
    isLoading = false;
    noteReceived(messages);
    scrolling.around(() => transcript.merge(messages), { isOlder, mustFollow: !isOlder && !lastSeen });
    find("older").hidden = !hasOlder;
  },
  message({ message }) {
    const isNew = !transcript.has(message.id);
    if (message.direction !== "in") showTyping(false);
    noteReceived([message]);
    scrolling.around(() => transcript.merge([message]), { isNew });
    if (isNew && message.direction !== "in") tellParent({ kind: "message" });
  },
  edit({ message }) {
    showTyping(false);
    scrolling.around(() => transcript.edit(message));
  },
  menu(frame) {
    showMenu(frame.menu || []);
  },
  ack({ id, message_id: messageId }) {
    outbox.settle(id);
    transcript.settle(id, messageId);
    releaseKeys();
  },
  error({ code, text, id }) {
    showTyping(false);
    releaseKeys();
    // What the server will never take is not sent again.
    if (id) outbox.settle(id);
    if (STALE_TOKEN.has(code) && recall("token")) {
      remember("token", null);
      connection.reopen();
    } else if (text) note(text);
  },
};

function say(text) {
  const frame = { type: "text", id: newId(), text };
  outbox.add(frame);
  scrolling.around(() => transcript.addPending(frame.id, text), { mustFollow: true });
  deliver(frame);
}

function tap(message, button, key) {
  const isSecond = button.data === lastTap.data && Date.now() - lastTap.at < DOUBLE_TAP;
  if (isSecond || key.classList.contains("is-busy")) return;
  lastTap = { data: button.data, at: Date.now() };
  key.classList.add("is-busy");
  const frame = { type: "tap", id: newId(), data: button.data, message_id: message?.id ?? null };
  outbox.add(frame);
  deliver(frame);
  setTimeout(() => key.classList.remove("is-busy"), ANSWER_TIME);
}

function deliver(frame) {
  if (connection.send(frame)) showTyping(true);
}

function releaseKeys() {
  document.querySelectorAll(".is-busy").forEach((key) => key.classList.remove("is-busy"));
}

function loadOlder() {
  if (!hasOlder || isLoading || !transcript.oldestId()) return;
  isLoading = connection.send({ type: "history", before: transcript.oldestId() });
}

function noteReceived(messages) {
  for (const message of messages) {
    const isLater = !lastReceived || Date.parse(message.at) >= Date.parse(lastReceived.at);
    if (message.direction !== "in" && isLater) lastReceived = message;
  }
}

function tellSeen() {
  if (!lastReceived || lastReceived.id === lastSeen) return;
  if (connection?.send({ type: "seen", id: lastReceived.id })) lastSeen = lastReceived.id;
}

function showTyping(isTyping) {
  clearTimeout(answerTimer);
  scrolling.around(() => (find("typing").hidden = !isTyping));
  if (isTyping) answerTimer = setTimeout(() => showTyping(false), ANSWER_TIME);
}

function note(text) {
  scrolling.around(() => find("messages").after(el("p", { class: "note", role: "alert" }, text)), { mustFollow: true });
  const notes = document.querySelectorAll(".note");
  setTimeout(() => notes[0]?.remove(), ANSWER_TIME);
}

function showBrand(brand) {
  if (!brand?.name) return;
  find("brand").textContent = brand.name;
  document.title = brand.name;
}

function showMenu(menu) {
  const strip = find("menu");
  strip.hidden = menu.length === 0;
  strip.replaceChildren(
    ...menu.map((item) => {
      const key = el("button", { type: "button", class: "menu-key" }, item.label);
      key.addEventListener("click", () => tap(null, item, key));
      return key;
    }),
  );
}

function showState(next) {
  state = next;
  find("status").textContent = w(state);
  document.body.dataset.state = state;
}

function rename() {
  const label = (part, word) => find(part)?.setAttribute("aria-label", w(word));
  label("language", "language");
  label("close-frame", "close");
  label("to-end", "toEnd");
  label("menu", "menu");
  label("log", "conversation");
  label("typing", "typing");
  find("language-label").textContent = w("languageLabel");
  find("older").textContent = w("older");
  find("status").textContent = w(state);
  entry.rename();
  transcript.redraw();
}

function tellParent(news) {
  if ("embed" in settings && parent !== window) parent.postMessage({ siyu: news.kind }, "*");
}

find("older").addEventListener("click", loadOlder);
find("close-frame")?.addEventListener("click", () => tellParent({ kind: "close" }));
find("language").hidden = settings.locales.split(",").length < 2;
find("language").addEventListener("click", () => {
  setLocale(locale() === "zh-CN" ? "en" : "zh-CN");
  remember("locale", locale());
  hasSwitched = true;
  rename();
  connection.reopen();
});
