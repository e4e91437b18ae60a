import { el, icon } from "../../common/dom.js";
import { t } from "../page_strings.js";

let serial = 0;

export function labelled(words, input) {
  const id = `survey-field-${(serial += 1)}`;
  input.id = id;
  return el("div", { class: "field" }, el("label", { class: "form-label", for: id }, words), input);
}

export function textInput(value, change, attributes = {}) {
  return el("input", { class: "form-control", value: value ?? "", maxlength: 1000, ...attributes, on: { input: (event) => change(event.target.value) } });
}

/** One field for each language of `map`, side by side. */
export function texts(words, map, editor, attributes = {}) {
  return editor.locales.map(([code, name]) =>
    labelled(`${words} · ${name}`, textInput(map[code], (text) => ((map[code] = text), editor.changed()), { lang: code, ...attributes })),
  );
}

export function choice(options, value, change, attributes = {}) {
  const known = options.some((option) => String(option.value) === String(value));
  const all = known ? options : [{ value, label: value === "" ? "…" : String(value) }, ...options];
  const nodes = all.map((option) => el("option", { value: String(option.value), selected: String(option.value) === String(value) }, option.label));
  return el("select", { class: "form-select", ...attributes, on: { change: (event) => change(event.target.value) } }, nodes);
}

export function tool(name, label, action, isOff = false) {
  return el("button", { type: "button", class: "icon-button", "aria-label": t(label), title: t(label), disabled: isOff, on: { click: action } }, icon(name));
}

export function adder(label, action) {
  return el("button", { type: "button", class: "btn btn-sm", on: { click: action } }, icon("plus"), t(label));
}
