import { readJson } from "../common/dom.js";

let strings = null;

/** The translated words of `key`, with {name} places filled from `values`. */
export function t(key, values = {}) {
  strings ??= readJson(document.getElementById("siyu-strings"), {});
  const text = strings[key] || key;
  return text.replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
}
