// Small helpers for building the page out of nodes.
export const byId = (id) => document.getElementById(id);

export function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function button(className, text, onClick) {
  const node = element("button", className, text);
  node.type = "button";
  node.addEventListener("click", onClick);
  return node;
}

export function dressAvatar(node, name, id) {
  node.textContent = [...(name || "?").trim()][0]?.toUpperCase() ?? "?";
  const tone = Math.abs(Number(id) || 0) % 5;
  node.className = node.className.replace(/ ?tone-\d/, "") + (tone ? ` tone-${tone}` : "");
  return node;
}

let toastTimer = 0;
export function toast(text) {
  const node = byId("toast");
  node.textContent = text;
  node.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { node.hidden = true; }, 3600);
}
