// Reads the limited HTML of messages (b, i, u, s, code, pre, a) without handing it to the browser's own parser:
// nothing of it can load, run or even be looked at by the content policy.

const NAMES = { strong: "b", em: "i", ins: "u", del: "s", strike: "s" };
const ALLOWED = new Set(["b", "i", "u", "s", "code", "pre", "a"]);
const TOKEN = /<(\/?)([a-z][a-z0-9-]*)((?:"[^"]*"|'[^']*'|[^<>"'])*)>|&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,6});/gi;
const ENTITIES = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'", nbsp: "\u00a0" };
const HREF = /\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i;
const MAX_DEPTH = 24;

/** Tokens of `html`: {text} | {open, href} | {close}; unknown elements vanish, their content stays. */
export function* tokens(html) {
  let from = 0;
  for (const match of html.matchAll(TOKEN)) {
    if (match.index > from) yield { text: html.slice(from, match.index) };
    from = match.index + match[0].length;
    yield* match[4] ? [{ text: entity(match[4], match[0]) }] : element(match);
  }
  if (from < html.length) yield { text: html.slice(from) };
}

function* element([, slash, rawName, attributes]) {
  const name = NAMES[rawName.toLowerCase()] || rawName.toLowerCase();
  if (name === "br" && !slash) yield { text: "\n" };
  if (!ALLOWED.has(name)) return;
  if (slash) yield { close: name };
  else yield { open: name, href: name === "a" ? hrefOf(attributes) : "" };
}

function hrefOf(attributes) {
  const found = HREF.exec(` ${attributes}`);
  return decode(found?.[1] ?? found?.[2] ?? found?.[3] ?? "");
}

function decode(text) {
  return text.replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,6});/gi, (whole, name) => entity(name, whole));
}

function entity(name, whole) {
  if (name[0] !== "#") return ENTITIES[name.toLowerCase()] ?? whole;
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
}

/** Appends the elements of `html` to `target`; `makeLink(href)` gives the element for a link. */
export function build(html, target, makeLink) {
  const open = [{ name: "", node: target }];
  for (const token of tokens(html)) {
    const top = open.at(-1).node;
    if (token.text !== undefined) top.append(token.text);
    else if (token.open && open.length < MAX_DEPTH) {
      const node = token.open === "a" ? makeLink(token.href) : document.createElement(token.open);
      top.append(node);
      open.push({ name: token.open, node });
    } else if (token.close) {
      const at = open.findLastIndex((item) => item.name === token.close);
      if (at > 0) open.length = at;
    }
  }
}
