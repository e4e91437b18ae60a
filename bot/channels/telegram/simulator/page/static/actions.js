// Small menus: what can be attached, what can be done with a chat.
import { byId, element, toast } from "./elements.js";
import { label } from "./labels.js";
import { readAsBase64 } from "./server.js";

const LARGEST = 20 * 1024 * 1024;
const STICKERS = ["🍵", "🎉", "👍", "😂", "❤️"];

export function openPopup(place, items) {
  const popup = byId("popup");
  const isSame = !popup.hidden && popup.classList.contains(place);
  closePopup();
  if (isSame || !items.length) return;
  popup.className = `popup ${place}`;
  popup.replaceChildren(...items.map(({ nodes, run, isDanger }) => {
    const node = element("button", isDanger ? "is-danger" : "", ...nodes);
    node.type = "button";
    node.setAttribute("role", "menuitem");
    node.addEventListener("click", () => { closePopup(); void run(); });
    return node;
  }));
  popup.style.bottom = place === "at-top" ? "" : `${roomBelow(popup.parentElement)}px`;
  popup.hidden = false;
  popup.querySelector("button")?.focus({ preventScroll: true });
  setTimeout(() => document.addEventListener("click", closePopup, { once: true }));
}

function roomBelow(chat) {
  return chat.getBoundingClientRect().bottom - byId("composer").getBoundingClientRect().top + 8;
}

export function closePopup() {
  byId("popup").hidden = true;
}

document.addEventListener("keydown", (event) => { if (event.key === "Escape") closePopup(); });

export function moreActions(chat, act) {
  const items = [];
  if (chat.type !== "private") return items;
  if (!chat.is_blocked) items.push({ nodes: [label("again")], run: () => act("start") });
  if (chat.is_blocked) items.push({ nodes: [label("unblock")], run: () => act("unblock") });
  else if (chat.is_started) items.push({ nodes: [label("block")], run: () => act("block"), isDanger: true });
  return items;
}

export function attachments(state, send) {
  const somebody = { phone_number: "+8613900000000", first_name: label("friend"), user_id: 424242 };
  const contact = () => (state.person.phone ? send({ contact: true }) : toast(label("noPhone")));
  const emoji = STICKERS[state.views.size % STICKERS.length];
  const entries = [
    ["🖼️", "photo", () => send({ photo: true })],
    ["📷", "ownPhoto", () => pick("photo", "image/png,image/jpeg,image/webp,image/gif", send)],
    ["📄", "document", () => pick("document", "", send)],
    [emoji, "sticker", () => send({ sticker: emoji })],
    ["📱", "contact", contact],
    ["🪪", "otherContact", () => send({ contact: somebody })],
    ["📍", "location", () => send({ location: { latitude: 31.2304, longitude: 121.4737 } })],
  ];
  return entries.map(([mark, name, run]) => ({ nodes: [element("span", "", mark), element("span", "", label(name))], run }));
}

function pick(kind, accept, send) {
  const input = byId("file");
  input.accept = accept;
  input.value = "";
  input.onchange = async () => {
    const [file] = input.files;
    if (!file) return;
    if (file.size > LARGEST) { toast(label("tooBig")); return; }
    await send({ [kind]: { name: file.name, mime_type: file.type, data: await readAsBase64(file) } });
  };
  input.click();
}
