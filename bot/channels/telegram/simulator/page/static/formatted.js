// Text with entities as DOM nodes. Everything a person or bot wrote goes in as text, never as markup.
import { element } from "./elements.js";

const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote", spoiler: "span",
};

export function formatted(text, entities, onCommand) {
  const root = element("span", "text");
  const ordered = [...(entities ?? [])].sort((a, b) => a.offset - b.offset || b.length - a.length);
  fill(root, text, 0, text.length, ordered, onCommand);
  return root;
}

function fill(parent, text, start, end, entities, onCommand) {
  let position = start;
  for (let index = 0; index < entities.length; index += 1) {
    const entity = entities[index];
    if (entity.offset < position || entity.offset >= end) continue;
    const stop = Math.min(entity.offset + entity.length, end);
    parent.append(text.slice(position, entity.offset));
    const node = nodeFor(entity, text.slice(entity.offset, stop), onCommand);
    fill(node, text, entity.offset, stop, entities.slice(index + 1), onCommand);
    parent.append(node);
    position = stop;
  }
  parent.append(text.slice(position, end));
}

function nodeFor(entity, text, onCommand) {
  if (entity.type === "bot_command") {
    const button = element("button", "command");
    button.type = "button";
    button.addEventListener("click", () => onCommand(text));
    return button;
  }
  const address = addressOf(entity, text);
  if (address) {
    const link = element("a");
    link.href = address;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    return link;
  }
  const node = element(TAGS[entity.type] ?? "span");
  if (entity.type === "spoiler") {
    node.className = "spoiler";
    node.addEventListener("click", () => node.classList.add("is-shown"));
  }
  return node;
}

function addressOf(entity, text) {
  const given = entity.type === "text_link" ? entity.url : entity.type === "url" ? text : "";
  if (entity.type === "email") return `mailto:${text}`;
  if (!given) return "";
  return safeAddress(given.includes(":") ? given : `http://${given}`);
}

export function safeAddress(address) {
  try {
    const parsed = new URL(address);
    return ["http:", "https:", "mailto:", "tel:"].includes(parsed.protocol) ? parsed.href : "";
  } catch {
    return "";
  }
}
