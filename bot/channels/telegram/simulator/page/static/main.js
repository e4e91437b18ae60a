// The page: who am I, which chats do I have, what is said in the open one.
import { attachments, moreActions, openPopup, closePopup } from "./actions.js";
import { button, byId, dressAvatar, element, toast } from "./elements.js";
import { safeAddress } from "./formatted.js";
import { applyLabels, label, useLanguage } from "./labels.js";
import { clockTime, dayName, messageRow, shortText } from "./messages.js";
import { choosePerson, firstPerson } from "./people.js";
import { follow, get, post } from "./server.js";

const state = { person: null, chats: [], open: null, views: new Map(), unread: new Map(), keysHidden: false, stop: null };
const parameters = new URLSearchParams(location.search);
let pendingStart = parameters.get("start");

const path = (action, peer = state.open?.peer) => `users/${state.person.id}/chats/${peer}/${action}`;

async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    toast(label("failed") + error.message);
    return null;
  }
}

async function enter(person) {
  state.stop?.();
  Object.assign(state, { person, open: null, views: new Map(), unread: new Map() });
  localStorage.setItem("siyu.simulator.person", person.id);
  byId("person-name").textContent = [person.first_name, person.last_name].filter(Boolean).join(" ");
  dressAvatar(byId("person-avatar"), person.first_name, person.id);
  state.chats = await get(`users/${person.id}/chats`);
  state.stop = follow(person.id, { onEvent, onState });
  drawChats();
  const wanted = parameters.get("bot");
  const first = state.chats.find((chat) => wanted && [chat.username, String(chat.peer)].includes(wanted)) ?? state.chats[0];
  const isWide = matchMedia("(min-width: 761px)").matches;
  if (first && (isWide || pendingStart || wanted || state.chats.length === 1)) await openChat(first.peer);
  else drawOpen();
}

async function openChat(peer) {
  const views = await attempt(() => get(path("messages", peer)));
  if (!views) return;
  state.open = state.chats.find((chat) => chat.peer === peer);
  state.views = new Map(views.map((view) => [view.message_id, view]));
  state.unread.delete(peer);
  state.keysHidden = false;
  drawChats();
  drawOpen();
}

let wasOnline = true;
async function onState(isOnline) {
  if (!isOnline && wasOnline) toast(label("offline"));
  if (isOnline && !wasOnline && state.person) {
    state.chats = await get(`users/${state.person.id}/chats`);
    if (state.open) await openChat(state.open.peer);
  }
  wasOnline = isOnline;
}

function onEvent(event) {
  const chat = state.chats.find((item) => item.peer === event.peer);
  if (!chat && event.type !== "hello") { void attempt(reloadChats); return; }
  if (event.type === "chat") Object.assign(chat, event.chat);
  if (event.type === "message" && event.view) onMessage(chat, event);
  if (event.type === "callback_answer") onAnswer(event);
  if (event.type === "action" && chat === state.open) showTyping();
  if (event.type === "chat" && chat === state.open) drawOpen();
  if (event.type !== "action") drawChats();
}

async function reloadChats() {
  state.chats = await get(`users/${state.person.id}/chats`);
  state.open = state.chats.find((chat) => chat.peer === state.open?.peer) ?? null;
  drawChats();
}

function onMessage(chat, { view, keyboard }) {
  const isNew = !chat.last_message || view.message_id > chat.last_message.message_id;
  if (isNew || view.message_id === chat.last_message?.message_id) chat.last_message = view;
  if (isNew && JSON.stringify(keyboard) !== JSON.stringify(chat.keyboard)) state.keysHidden = false;
  chat.keyboard = keyboard;
  if (!view.is_outgoing) chat.is_started = true;
  if (chat !== state.open) {
    if (isNew && view.is_outgoing) state.unread.set(chat.peer, (state.unread.get(chat.peer) ?? 0) + 1);
    return;
  }
  state.views.set(view.message_id, view);
  drawHistory(isNew ? view.message_id : null);
  drawBelow();
}

function onAnswer(event) {
  if (event.person_id !== state.person.id) return;
  for (const node of document.querySelectorAll(".inline .is-busy")) node.classList.remove("is-busy");
  const { text, show_alert: isAlert } = event.answer;
  if (text && isAlert) {
    byId("alert-text").textContent = text;
    byId("alert").showModal();
  } else if (text) toast(text);
}

function drawChats() {
  const byDate = [...state.chats].sort((a, b) => (b.last_message?.message.date ?? 0) - (a.last_message?.message.date ?? 0));
  byId("chats").replaceChildren(...byDate.map((chat) => {
    const date = chat.last_message?.message.date;
    const unread = state.unread.get(chat.peer);
    const row = button("chat-row", "", () => openChat(chat.peer));
    row.setAttribute("aria-current", String(chat.peer === state.open?.peer));
    row.append(
      dressAvatar(element("span", "avatar"), chat.title, chat.peer),
      element("span", "lines",
        element("span", "top", element("strong", "", chat.title), date ? element("time", "", clockTime(date)) : null),
        element("span", "bottom", element("p", "", shortText(chat.last_message)), unread ? element("span", "badge", String(unread)) : null)),
    );
    return element("li", "", row);
  }));
}

function drawOpen() {
  closePopup();
  byId("frame").classList.toggle("is-open", Boolean(state.open));
  if (!state.open) return;
  byId("chat-title").textContent = state.open.title;
  dressAvatar(byId("chat-avatar"), state.open.title, state.open.peer);
  drawStatus();
  drawHistory(null);
  drawBelow();
}

function drawStatus() {
  const chat = state.open;
  const kind = chat.type === "private" ? label("bot") : label("group");
  const name = chat.username ? ` · @${chat.username}` : "";
  byId("chat-status").textContent = chat.is_blocked ? label("blocked") : kind + name;
}

function drawHistory(newId) {
  const history = byId("history");
  const isAtEnd = history.scrollHeight - history.scrollTop - history.clientHeight < 120;
  const stack = element("div", "stack");
  let lastDay = "";
  let lastSender = null;
  for (const view of [...state.views.values()].sort((a, b) => a.message_id - b.message_id)) {
    const day = dayName(view.message.date);
    if (day !== lastDay) stack.append(element("div", "day", day));
    const row = messageRow(view, context());
    row.classList.toggle("follows", view.message.from.id === lastSender && day === lastDay);
    row.classList.toggle("is-new", view.message_id === newId);
    stack.append(row);
    [lastDay, lastSender] = [day, view.message.from.id];
  }
  if (!state.views.size) stack.append(about());
  history.replaceChildren(stack);
  if (newId !== null || isAtEnd) history.scrollTop = history.scrollHeight;
  for (const image of stack.querySelectorAll("img")) {
    image.addEventListener("load", () => { if (isAtEnd || newId) history.scrollTop = history.scrollHeight; }, { once: true });
  }
}

function about() {
  const chat = state.open;
  const description = chat.description || label("aboutHint");
  return element("div", "about", dressAvatar(element("span", "avatar"), chat.title, chat.peer), element("strong", "", chat.title), element("p", "", description));
}

function context() {
  const chat = state.open;
  const isGroup = chat.type !== "private";
  const fileBot = isGroup ? (state.chats.find((item) => item.type === "private")?.peer ?? 0) : chat.peer;
  return { isGroup, fileBot, personId: state.person.id, onCommand: (text) => say(text), onPress };
}

function drawBelow() {
  const chat = state.open;
  const begin = byId("begin");
  const isClosed = chat.is_blocked || !chat.is_started || Boolean(pendingStart);
  begin.hidden = !isClosed;
  byId("composer").hidden = isClosed;
  begin.textContent = chat.is_blocked ? label("restart") : pendingStart ? label("deepLink") + pendingStart : label("start");
  const rows = isClosed ? null : chat.keyboard?.keyboard;
  byId("keys-toggle").hidden = !rows;
  byId("keys").hidden = !rows || state.keysHidden;
  byId("keys").replaceChildren(...(rows ?? []).map((row) =>
    element("div", "", ...row.map((key) => button("", key.text, () => pressKey(key))))));
  byId("text").placeholder = chat.keyboard?.input_field_placeholder || label("write");
}

const say = (text) => attempt(() => post(path("messages"), { text }));

async function pressKey(key) {
  if (key.request_contact && !state.person.phone) { toast(label("noPhone")); return; }
  await attempt(() => post(path("keyboard"), { text: key.text }));
}

async function onPress(view, item, node) {
  if (item.callback_data) {
    node.classList.add("is-busy");
    setTimeout(() => node.classList.remove("is-busy"), 8000);
    await attempt(() => post(path("press"), { message_id: view.message_id, data: item.callback_data }));
    return;
  }
  if (item.copy_text) { toast(label("copied") + item.copy_text.text); return; }
  const address = safeAddress(item.url ?? item.web_app?.url ?? item.login_url?.url ?? "");
  if (address) window.open(address, "_blank", "noopener,noreferrer");
  else toast(label("opens") + (item.url ?? ""));
}

function showTyping() {
  drawStatus();
  byId("chat-status").textContent = label("typing");
  clearTimeout(showTyping.timer);
  showTyping.timer = setTimeout(() => state.open && drawStatus(), 4000);
}

async function begin() {
  const payload = pendingStart ?? "";
  pendingStart = null;
  await attempt(() => post(path("start"), { payload }));
  drawBelow();
}

function resize() {
  const text = byId("text");
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, 150)}px`;
}

async function submit() {
  const field = byId("text");
  const text = field.value;
  if (!text.trim()) return;
  field.value = "";
  resize();
  if (!(await say(text))) field.value = text;
  field.focus();
}

function showCommands() {
  const commands = state.open.commands ?? [];
  if (!commands.length) { toast(label("noCommands")); return; }
  openPopup("at-left", commands.map(({ command, description }) => ({
    nodes: [element("code", "", `/${command}`), element("small", "", description)],
    run: () => say(`/${command}`),
  })));
}

function wire() {
  byId("begin").addEventListener("click", begin);
  byId("composer").addEventListener("submit", (event) => { event.preventDefault(); void submit(); });
  byId("text").addEventListener("input", resize);
  byId("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); void submit(); }
  });
  byId("commands").addEventListener("click", showCommands);
  byId("attach").addEventListener("click", () => openPopup("at-right", attachments(state, (body) => attempt(() => post(path("messages"), body)))));
  byId("more").addEventListener("click", () => openPopup("at-top", moreActions(state.open, (action) => attempt(() => post(path(action))))));
  byId("keys-toggle").addEventListener("click", () => { state.keysHidden = !state.keysHidden; drawBelow(); });
  byId("back").addEventListener("click", () => { state.open = null; drawChats(); drawOpen(); });
  byId("person").addEventListener("click", async () => { const person = await choosePerson(); if (person) await enter(person); });
  byId("alert-close").addEventListener("click", () => byId("alert").close());
  for (const node of document.querySelectorAll("[data-language]")) {
    node.addEventListener("click", () => { useLanguage(node.dataset.language); drawChats(); drawOpen(); });
  }
}

applyLabels();
wire();
await attempt(async () => enter(await firstPerson()));
