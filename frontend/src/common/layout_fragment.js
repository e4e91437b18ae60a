// Fragments that our own server makes from our own macros: parsed apart, and only layout is built anew from them.
import { icon } from "./dom.js";

const ELEMENTS = new Set([
  "DIV", "SPAN", "P", "STRONG", "B", "I", "U", "S", "SMALL", "CODE", "PRE", "IMG", "TIME", "UL", "OL", "LI",
]);
const ATTRIBUTES = ["class", "data-direction", "data-rich", "alt", "role", "aria-label", "datetime", "lang"];
const MAX_DEPTH = 40;

export function layoutFragment(html) {
  const parsed = new DOMParser().parseFromString(String(html), "text/html");
  const fragment = document.createDocumentFragment();
  copyChildren(parsed.body, fragment, 0);
  return fragment;
}

function copyChildren(source, target, depth) {
  for (const child of source.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) target.append(child.data);
    else if (child.nodeType === Node.ELEMENT_NODE && depth < MAX_DEPTH) copyElement(child, target, depth);
  }
}

function copyElement(source, target, depth) {
  if (source.tagName === "svg") return target.append(copyIcon(source));
  if (!ELEMENTS.has(source.tagName)) return undefined;
  const node = document.createElement(source.tagName);
  for (const name of ATTRIBUTES) {
    if (source.hasAttribute(name)) node.setAttribute(name, source.getAttribute(name));
  }
  if (source.tagName === "IMG") node.src = ownPicture(source.getAttribute("src"));
  copyChildren(source, node, depth + 1);
  return target.append(node);
}

function copyIcon(source) {
  const name = source.querySelector("use")?.getAttribute("href")?.split("#")[1] || "";
  return icon(name, source.classList.contains("icon-sm") ? "icon-sm" : "");
}

function ownPicture(address) {
  const url = new URL(address || "", location.origin);
  return url.origin === location.origin ? url.href : "";
}
