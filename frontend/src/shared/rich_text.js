// Text from the server is never parsed into the page: it is parsed into a document of its own,
// and only allowed elements are built anew from it.

const MESSAGE_ELEMENTS = new Set(["B", "I", "U", "S", "CODE", "PRE", "A"]);
const SAME_MEANING = { STRONG: "B", EM: "I", INS: "U", DEL: "S", STRIKE: "S" };
const MAX_DEPTH = 24;

/** `address` when it may be opened by a tap, else null. */
export function safeLink(address) {
  try {
    const url = new URL(address, location.origin);
    return ["http:", "https:", "mailto:", "tel:", "tg:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** A fragment of `html` with b, i, u, s, code, pre and a; every other element is replaced by its content. */
export function richText(html) {
  const parsed = new DOMParser().parseFromString(String(html), "text/html");
  const fragment = document.createDocumentFragment();
  copyChildren(parsed.body, fragment, 0, copyMessageElement);
  return fragment;
}

export function plainText(html) {
  return richText(html).textContent;
}

function copyMessageElement(source) {
  const tag = SAME_MEANING[source.tagName] || source.tagName;
  if (tag === "BR") return document.createTextNode("\n");
  if (!MESSAGE_ELEMENTS.has(tag)) return null;
  const node = document.createElement(tag);
  if (tag === "A") {
    const href = safeLink(source.getAttribute("href") || "");
    if (!href) return document.createElement("span");
    node.href = href;
    node.target = "_blank";
    node.rel = "noopener noreferrer nofollow";
  }
  return node;
}

const FRAGMENT_ELEMENTS = new Set([
  "DIV", "SPAN", "P", "STRONG", "B", "I", "U", "S", "SMALL", "CODE", "PRE", "A", "IMG", "TIME", "UL", "OL", "LI", "BR",
]);
const FRAGMENT_ATTRIBUTES = ["class", "data-direction", "data-rich", "alt", "role", "aria-label", "datetime", "lang"];

/** A fragment made on our server from our own macros: layout elements and classes are kept, icons are rebuilt. */
export function trustedLayout(html) {
  const parsed = new DOMParser().parseFromString(String(html), "text/html");
  const fragment = document.createDocumentFragment();
  copyChildren(parsed.body, fragment, 0, copyLayoutElement);
  return fragment;
}

function copyLayoutElement(source) {
  if (!FRAGMENT_ELEMENTS.has(source.tagName)) return null;
  const node = document.createElement(source.tagName);
  for (const name of FRAGMENT_ATTRIBUTES) {
    if (source.hasAttribute(name)) node.setAttribute(name, source.getAttribute(name));
  }
  if (source.tagName === "IMG") {
    const url = safeLink(source.getAttribute("src") || "");
    if (url && new URL(url).origin === location.origin) node.src = url;
  }
  return node;
}

function copyChildren(source, target, depth, copyElement) {
  for (const child of source.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) target.append(child.data);
    if (child.nodeType !== Node.ELEMENT_NODE || ["SCRIPT", "STYLE", "TEMPLATE"].includes(child.tagName)) continue;
    const copy = depth < MAX_DEPTH ? copyElement(child) : null;
    if (copy) target.append(copy);
    if (!copy || copy.nodeType === Node.ELEMENT_NODE) copyChildren(child, copy || target, depth + 1, copyElement);
  }
}
