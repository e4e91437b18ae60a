import { el, icon } from "../common/dom.js";
import { richText, safeLink } from "../common/rich_text.js";
import { locale, w } from "./words.js";

/** The element of one message; `onTap(button, element)` is called for data buttons. */
export function drawMessage(message, onTap) {
  const content = el("div", { class: "bubble" }, photo(message), text(message), meta(message));
  const node = el("article", { class: "message", "data-direction": message.direction === "in" ? "in" : "out" }, content);
  const rows = (message.buttons || []).filter((row) => row.length);
  if (rows.length) node.append(el("div", { class: "keys" }, rows.map((row) => drawRow(row, onTap))));
  if (message.id) node.dataset.id = message.id;
  return node;
}

function text(message) {
  const node = el("div", { class: "text" });
  node.append(message.html ? richText(message.text || "") : message.text || "");
  return node;
}

function photo(message) {
  if (!message.photo_url) return null;
  const url = new URL(message.photo_url, location.origin);
  if (url.origin !== location.origin) return null;
  return el("img", { src: url.href, alt: w("photo"), loading: "lazy" });
}

function meta(message) {
  const mark = message.pending ? icon("clock") : icon("check");
  mark.setAttribute("aria-label", w(message.pending ? "sending" : "sent"));
  const time = new Date(message.at).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", hour12: false });
  return el("div", { class: "meta" }, el("time", { datetime: message.at }, time), message.direction === "in" ? mark : null);
}

// Ratings and calendars have many short keys in one row.
function drawRow(row, onTap) {
  const isDense = row.length > 4 || (row.length > 3 && row.every((button) => button.label.length <= 3));
  return el("div", { class: `key-row${isDense ? " is-dense" : ""}` }, row.map((button) => drawKey(button, onTap)));
}

function drawKey(button, onTap) {
  const href = button.url && safeLink(button.url);
  if (href) {
    return el("a", { class: "key", href, target: "_blank", rel: "noopener noreferrer" }, button.label, icon("external"));
  }
  const key = el("button", { type: "button", class: `key${/^[☑✅✓✔]/u.test(button.label) ? " is-chosen" : ""}` }, button.label);
  key.addEventListener("click", () => button.data && onTap(button, key));
  return key;
}

/** The heading of a day, when `message` starts one after `previous`. */
export function dayHeading(message, previous) {
  const day = new Date(message.at).toDateString();
  if (previous && new Date(previous.at).toDateString() === day) return null;
  return el("div", { class: "day" }, el("span", {}, dayName(new Date(message.at))));
}

function dayName(date) {
  const days = Math.round((startOfDay(new Date()) - startOfDay(date)) / 86_400_000);
  if (days === 0) return w("today");
  if (days === 1) return w("yesterday");
  return date.toLocaleDateString(locale(), { month: "long", day: "numeric", year: days > 300 ? "numeric" : undefined });
}

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate());
}
