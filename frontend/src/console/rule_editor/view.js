import { el, icon } from "../../common/dom.js";
import { t } from "../page_strings.js";
import { parameterInput } from "./inputs.js";
import { fieldsOf } from "./schema.js";
import { newCondition, newGroup } from "./tree.js";

/** Draws the tree. `editor` gives catalogue, defaults(name), restructured() and changed(). */
export function drawGroup(group, editor, parent = null) {
  const children = group.children.flatMap((child, index) => {
    const join = index ? [el("span", { class: "rule-join" }, t(group.mode === "all" ? "and" : "or"))] : [];
    return [...join, child.kind === "group" ? drawGroup(child, editor, group) : drawCondition(child, editor, group)];
  });
  const empty = el("p", { class: "rule-empty" }, t(group.mode === "all" ? "everyone" : "empty_any"));
  return el(
    "div",
    { class: `rule-group${group.negated ? " is-negated" : ""}`, "data-kind": group.mode, role: "group" },
    el("div", { class: "rule-head" }, modeSwitch(group, editor), el("span", { class: "spacer" }), ...(parent ? tools(group, parent, editor) : [])),
    el("div", { class: "rule-children" }, children.length ? children : empty),
    addRow(group, editor),
  );
}

function modeSwitch(group, editor) {
  const option = (mode) =>
    el("button", {
      type: "button",
      "aria-pressed": String(group.mode === mode),
      on: { click: () => ((group.mode = mode), editor.restructured()) },
    }, t(mode));
  return el("div", { class: "segmented", role: "group" }, option("all"), option("any"));
}

function tools(node, parent, editor) {
  const button = (name, label, action, pressed) =>
    el("button", {
      type: "button",
      class: "icon-button",
      "aria-label": t(label),
      title: t(label),
      "aria-pressed": pressed === undefined ? null : String(pressed),
      on: { click: action },
    }, icon(name));
  const negate = () => ((node.negated = !node.negated), editor.restructured());
  const remove = () => (parent.children.splice(parent.children.indexOf(node), 1), editor.restructured());
  return [button("not", "negate", negate, node.negated), button("trash", "remove", remove)];
}

function drawCondition(node, editor, parent) {
  const described = editor.catalogue.get(node.name);
  const set = (name) => (value) => {
    if (value === undefined) delete node.values[name];
    else node.values[name] = value;
    editor.changed();
  };
  const fields = described
    ? fieldsOf(described.parameters).map((field) => parameterInput(field, node.values[field.name], set(field.name)))
    : [el("p", { class: "rule-empty" }, t("unknown_condition", { name: node.name }))];
  const chooser = el("div", {}, el("label", {}, node.negated ? t("exclude") : "\u00a0"), conditionSelect(node.name, editor, (name) => {
    Object.assign(node, newCondition(name, editor.defaults(name)), { negated: node.negated });
    editor.restructured();
  }));
  return el(
    "div",
    { class: `rule-row${node.negated ? " is-negated" : ""}` },
    el("div", { class: "rule-fields" }, chooser, fields),
    el("div", { class: "rule-tools" }, tools(node, parent, editor)),
  );
}

function conditionSelect(current, editor, onPick) {
  const groups = new Map();
  for (const item of editor.catalogue.values()) {
    const option = el("option", { value: item.name, selected: item.name === current }, item.label);
    groups.set(item.group || "", [...(groups.get(item.group || "") || []), option]);
  }
  const options = [...groups].map(([label, items]) => (label ? el("optgroup", { label }, items) : items)).flat();
  const first = current && editor.catalogue.has(current) ? [] : [el("option", { value: "", selected: true }, current || t("choose_condition"))];
  return el("select", {
    class: "form-select",
    "aria-label": t("choose_condition"),
    on: { change: (event) => event.target.value && onPick(event.target.value) },
  }, first, options);
}

function addRow(group, editor) {
  const append = (node) => (group.children.push(node), editor.restructured(group.children.length - 1, group));
  const firstName = editor.catalogue.keys().next().value;
  const button = (label, name, action) =>
    el("button", { type: "button", class: "btn btn-sm", disabled: !firstName, on: { click: action } }, icon(name), t(label));
  return el(
    "div",
    { class: "rule-add" },
    button("add_condition", "plus", () => append(newCondition(firstName, editor.defaults(firstName)))),
    button("add_group", "group", () => append(newGroup())),
  );
}
