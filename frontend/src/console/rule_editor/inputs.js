import { el } from "../../common/dom.js";
import { t } from "../page_strings.js";
import { choicesOf, humanise, isMissing, resolve } from "./schema.js";

let serial = 0;

/** A labelled input for one parameter; `onChange` gets the new value, or undefined when it is cleared. */
export function parameterInput(field, value, onChange) {
  const id = `rule-field-${(serial += 1)}`;
  const label = field.schema.title || humanise(field.name);
  const judge = (node, next) => node.classList.toggle("is-invalid", isMissing(field, next));
  const change = (next) => {
    judge(input, next);
    onChange(next);
  };
  const input = build(field, value, change, id);
  judge(input, value);
  if (field.schema.description) input.title = field.schema.description;
  return el("div", {}, el("label", { for: id }, label), input);
}

function build(field, value, change, id) {
  const { schema } = field;
  const choices = choicesOf(schema);
  if (schema.type === "array") return listInput(field, value, change, id);
  if (choices) return choiceInput(field, choices, value, change, id);
  if (schema.type === "boolean") return booleanInput(field, value, change, id);
  if (["integer", "number"].includes(schema.type)) return numberInput(schema, value, change, id);
  return textInput(schema, value, change, id);
}

function choiceInput(field, choices, value, change, id) {
  const known = choices.some((choice) => String(choice.value) === String(value));
  const all = known || value === undefined || value === null ? choices : [...choices, { value, label: String(value) }];
  const empty = !field.required || value === undefined ? [el("option", { value: "" }, field.required ? "…" : t("not_set"))] : [];
  const options = all.map((choice) =>
    el("option", { value: String(choice.value), selected: String(choice.value) === String(value) }, choice.label),
  );
  const pick = (event) => change(all.find((choice) => String(choice.value) === event.target.value)?.value);
  return el("select", { id, class: "form-select", on: { change: pick } }, empty, options);
}

function booleanInput(field, value, change, id) {
  const choices = [
    { value: true, label: t("yes") },
    { value: false, label: t("no") },
  ];
  return choiceInput(field, choices, value, change, id);
}

function numberInput(schema, value, change, id) {
  const isInteger = schema.type === "integer";
  const read = (event) => {
    const number = Number(event.target.value);
    change(event.target.value === "" || Number.isNaN(number) ? undefined : number);
  };
  return el("input", {
    id,
    type: "number",
    class: "form-control num",
    value: value ?? "",
    step: isInteger ? 1 : "any",
    min: schema.minimum ?? schema.exclusiveMinimum,
    max: schema.maximum ?? schema.exclusiveMaximum,
    on: { input: read },
  });
}

const TEXT_TYPES = { date: "date", "date-time": "datetime-local", email: "email" };

function textInput(schema, value, change, id) {
  const read = schema["x-scalar"] ? scalar : (typed) => typed;
  return el("input", {
    id,
    type: TEXT_TYPES[schema.format] || "text",
    class: "form-control",
    value: value ?? "",
    maxlength: schema.maxLength ?? 500,
    on: { input: (event) => change(event.target.value === "" ? undefined : read(event.target.value)) },
  });
}

/** What was typed as the plain value that it looks like: a number, true or false, else the text itself. */
function scalar(typed) {
  const text = typed.trim();
  if (/^-?\d{1,15}(\.\d{1,6})?$/.test(text)) return Number(text);
  return text === "true" || text === "false" ? text === "true" : typed;
}

function listInput(field, value, change, id) {
  const { schema } = field;
  const items = resolve(field.schema.items || {}, field.definitions);
  const choices = choicesOf(field.schema) || choicesOf(items);
  const chosen = Array.isArray(value) ? value : [];
  if (choices) return manyChoices(choices, chosen, change, id);
  const isNumber = ["integer", "number"].includes(items.type);
  const read = (event) => {
    const parts = event.target.value.split(/[,，、]/).map((part) => part.trim()).filter(Boolean);
    change(isNumber ? parts.map(Number).filter((number) => !Number.isNaN(number)) : schema["x-scalar"] ? parts.map(scalar) : parts);
  };
  return el("input", { id, class: "form-control", value: chosen.join(", "), on: { input: read } });
}

function manyChoices(choices, chosen, change, id) {
  const picked = new Set(chosen.map(String));
  const toggle = (event) => {
    picked[event.target.checked ? "add" : "delete"](event.target.value);
    change(choices.map((choice) => choice.value).filter((value) => picked.has(String(value))));
  };
  const boxes = choices.map((choice) => {
    const box = el("input", { type: "checkbox", class: "form-check-input", value: String(choice.value), on: { change: toggle } });
    box.checked = picked.has(String(choice.value));
    return el("label", { class: "check" }, box, el("span", {}, choice.label));
  });
  return el("div", { id, class: "stack-sm", role: "group" }, boxes);
}
