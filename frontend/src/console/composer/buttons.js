import { el, icon } from "../../shared/dom.js";
import { t } from "../page_strings.js";

const MAX_BUTTONS = 10;

/** Rows of the button editor; each button stands in a row of its own in the message. */
export function drawButtons(holder, editor) {
  holder.replaceChildren(...editor.message.buttons.map((row, index) => drawRow(row[0], index, editor)));
  editor.addButton.disabled = editor.message.buttons.length >= MAX_BUTTONS;
}

export function emptyButton() {
  return [{ label: {}, url: "" }];
}

function drawRow(button, index, editor) {
  const remove = () => {
    editor.message.buttons.splice(index, 1);
    editor.redrawButtons();
  };
  const label = el("input", {
    class: "form-control",
    "aria-label": t("button_label"),
    placeholder: t("button_label"),
    maxlength: 64,
    value: button.label[editor.locale] || "",
    on: { input: (event) => ((button.label[editor.locale] = event.target.value), editor.changed()) },
  });
  const drop = el("button", { type: "button", class: "icon-button", "aria-label": t("remove"), on: { click: remove } }, icon("trash"));
  return el("div", { class: "button-row" }, label, kindSelect(button, editor), target(button, editor), drop);
}

function kindSelect(button, editor) {
  const isAction = "action" in button;
  const pick = (event) => {
    delete button.url;
    delete button.action;
    if (event.target.value === "url") button.url = "";
    else button.action = editor.actions[0].value;
    editor.redrawButtons();
  };
  const action = editor.actions.length ? [el("option", { value: "action", selected: isAction }, t("kind_action"))] : [];
  return el("select", { class: "form-select", "aria-label": t("button_kind"), on: { change: pick } },
    el("option", { value: "url", selected: !isAction }, t("kind_url")), action);
}

function target(button, editor) {
  if (!("action" in button)) {
    return el("input", {
      class: "form-control",
      type: "url",
      "aria-label": t("button_address"),
      placeholder: "https://",
      maxlength: 2048,
      value: button.url || "",
      on: { input: (event) => ((button.url = event.target.value.trim()), editor.changed()) },
    });
  }
  const options = editor.actions.map((item) => el("option", { value: item.value, selected: item.value === button.action }, item.label));
  return el("select", { class: "form-select", "aria-label": t("kind_action"), on: { change: (event) => ((button.action = event.target.value), editor.changed()) } }, options);
}
