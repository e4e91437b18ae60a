/** Builds an element: el("button", {type: "button", class: "btn", on: {click}}, "text", child, ...). */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [kind, handler] of Object.entries(value)) node.addEventListener(kind, handler);
    else if (name in PROPERTIES) node[name] = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const PROPERTIES = { value: true, checked: true, selected: true, disabled: true, hidden: true };

/** The sprite's address, taken from an icon that the page already shows. */
function spriteAddress() {
  const use = document.querySelector("svg.icon use");
  return use ? use.getAttribute("href").split("#")[0] : "";
}

export function icon(name, extra = "") {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", `icon ${extra}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `${spriteAddress()}#${name}`);
  svg.append(use);
  return svg;
}

/** Reads a `<script type="application/json">` block, or gives `fallback`. */
export function readJson(node, fallback) {
  if (!node) return fallback;
  try {
    return JSON.parse(node.textContent);
  } catch {
    return fallback;
  }
}

export function debounce(action, milliseconds) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), milliseconds);
  };
}
