import { build } from "./limited_html.js";

const SCHEMES = new Set(["http:", "https:", "mailto:", "tel:", "tg:"]);

/** `address` when it may be opened by a tap, else null. */
export function safeLink(address) {
  try {
    const url = new URL(address, location.origin);
    return SCHEMES.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** A fragment of the limited HTML of a message. */
export function richText(html) {
  const fragment = document.createDocumentFragment();
  build(String(html), fragment, link);
  return fragment;
}

function link(address) {
  const href = address && safeLink(address);
  if (!href) return document.createElement("span");
  const node = document.createElement("a");
  return Object.assign(node, { href, target: "_blank", rel: "noopener noreferrer nofollow" });
}
