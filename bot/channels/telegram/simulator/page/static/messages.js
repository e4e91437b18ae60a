// One message as a bubble with its buttons.
import { button, dressAvatar, element } from "./elements.js";
import { formatted } from "./formatted.js";
import { label, locale } from "./labels.js";

export function shortText(view) {
  if (!view) return label("noMessages");
  const m = view.message;
  if (m.photo) return m.caption ? `${label("photoName")} ${m.caption}` : label("photoName");
  if (m.sticker) return `${m.sticker.emoji ?? ""} ${label("stickerName")}`;
  if (m.document) return label("documentName");
  if (m.contact) return label("contactName");
  if (m.location) return label("locationName");
  return m.text ?? "";
}

export function clockTime(date) {
  return new Date(date * 1000).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
}

export function dayName(date) {
  const day = new Date(date * 1000);
  const age = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(day).setHours(0, 0, 0, 0)) / 86400000);
  if (age === 0) return label("today");
  if (age === 1) return label("yesterday");
  return day.toLocaleDateString(locale(), { day: "numeric", month: "long", year: "numeric" });
}

// `context`: {fileBot, isGroup, personId, onCommand, onPress}
export function messageRow(view, context) {
  const body = view.message;
  const isMine = !view.is_outgoing && body.from.id === context.personId;
  const row = element("div", `row${isMine ? " is-mine" : ""}`);
  row.dataset.id = view.message_id;
  const bubble = element("div", "bubble");
  row.append(bubble);
  if (view.is_deleted) {
    bubble.classList.add("is-deleted");
    bubble.append(element("span", "text", label("deleted")), foot(view));
    return row;
  }
  if (context.isGroup && !isMine) bubble.append(element("span", "sender", body.from.first_name));
  if (body.reply_to_message) {
    bubble.append(element("span", "reply", shortText({ message: body.reply_to_message })));
  }
  if (body.sticker) bubble.classList.add("is-sticker");
  bubble.append(...content(body, context), foot(view));
  const rows = body.reply_markup?.inline_keyboard;
  if (rows?.length) {
    row.classList.add("has-buttons");
    row.append(inlineButtons(rows, view, context));
  }
  return row;
}

function content(body, context) {
  const parts = [];
  if (body.photo) parts.push(picture(body.photo.at(-1), context));
  if (body.sticker) parts.push(element("span", "sticker", body.sticker.emoji || "🙂"));
  if (body.document) parts.push(documentCard(body.document, context));
  if (body.contact) parts.push(contactCard(body.contact));
  if (body.location) {
    const { latitude, longitude } = body.location;
    parts.push(card(element("span", "badge-file", "⌖"), label("locationName"), `${latitude.toFixed(4)}, ${longitude.toFixed(4)}`));
  }
  const text = body.text ?? body.caption;
  if (text) parts.push(formatted(text, body.entities ?? body.caption_entities, context.onCommand));
  return parts;
}

function fileAddress(file, context) {
  return `/simulator/files/${context.fileBot}/${encodeURIComponent(file.file_id)}`;
}

function picture(photo, context) {
  const image = element("img", "picture");
  image.src = fileAddress(photo, context);
  image.alt = label("photoName");
  image.width = photo.width;
  image.height = photo.height;
  image.style.height = "auto";
  return image;
}

function documentCard(file, context) {
  const link = element("a", "", file.file_name ?? label("documentName"));
  link.href = fileAddress(file, context);
  link.download = file.file_name ?? "";
  return card(element("span", "badge-file", "⤓"), link, `${Math.max(1, Math.round((file.file_size ?? 0) / 1024))} KB`);
}

function contactCard(contact) {
  const avatar = dressAvatar(element("span", "avatar"), contact.first_name, contact.user_id ?? 3);
  return card(avatar, contact.first_name, contact.phone_number);
}

function card(mark, title, small) {
  return element("div", "card", mark, element("div", "", element("strong", "", title), element("small", "", small)));
}

function foot(view) {
  const edited = view.message.edit_date && !view.is_deleted ? `${label("edited")} ` : "";
  return element("span", "foot", `${edited}${clockTime(view.message.date)}`);
}

function inlineButtons(rows, view, context) {
  const box = element("div", "inline");
  for (const row of rows) {
    const line = element("div");
    for (const item of row) {
      const node = button(item.url || item.web_app ? "is-link" : "", item.text, () => context.onPress(view, item, node));
      line.append(node);
    }
    box.append(line);
  }
  return box;
}
