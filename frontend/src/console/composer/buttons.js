import { el, icon } from "../../common/dom.js";
import { t } from "../page_strings.js";

const MAX_BUTTONS = 10;

/** Rows of the button editor; a joined button stands beside the one before it in the message. */
export function drawButtons(holder, editor) {
  holder.replaceChildren(...editor.message.buttons.map((button, index) => drawRow(button, index, editor)));
  editor.addButton.disabled = editor.message.buttons.length >= MAX_BUTTONS;
}

export function emptyButton() {
  return { label: {}, url: "", joined: false };
}

function drawRow(button, index, editor) {
  const remove = () => {
    editor.message.buttons.splice(index, 1);
    editor.redrawButtons();
  };
  const join = () => {
    button.joined = !button.joined;
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
  const tools = el("div", { class: "button-tools" },
    index ? tool("beside", "button_beside", join, button.joined) : null,
    tool("trash", "remove", remove),
  );
  const kinds = `button-row${"url" in button ? "" : " is-action"}${button.joined && index ? " is-joined" : ""}`;
  return el("div", { class: kinds }, label, kindSelect(button, editor), ...target(button, editor), tools);
}

function tool(name, label, action, pressed) {
  const state = pressed === undefined ? {} : { "aria-pressed": String(pressed), class: "icon-button tool-beside" };
  return el("button", { type: "button", class: "icon-button", "aria-label": t(label), title: t(label), ...state, on: { click: action } }, icon(name));
}

function kindSelect(button, editor) {
  const isAction = !("url" in button);
  const pick = (event) => {
    delete button.url;
    delete button.action;
    delete button.tag;
    if (event.target.value === "url") button.url = "";
    else button.action = editor.actions[0]?.value || "";
    editor.redrawButtons();
  };
  return el("select", { class: "form-select", "aria-label": t("button_kind"), on: { change: pick } },
    el("option", { value: "url", selected: !isAction }, t("kind_url")),
    el("option", { value: "action", selected: isAction }, t("kind_action")),
  );
}

function target(button, editor) {
  if ("url" in button) {
    return [el("input", {
      class: "form-control",
      type: "url",
      "aria-label": t("button_address"),
      placeholder: "https://",
      maxlength: 2000,
      value: button.url || "",
      on: { input: (event) => ((button.url = event.target.value.trim()), editor.changed()) },
    })];
  }
  const known = editor.actions.some((item) => item.value === button.action);
  const all = known || !button.action ? editor.actions : [...editor.actions, { value: button.action, label: button.action }];
  const options = [...all, { value: "", label: t("only_tag") }].map((item) =>
    el("option", { value: item.value, selected: item.value === (button.action || "") }, item.label),
  );
  const choose = (event) => ((button.action = event.target.value), editor.changed());
  const tag = el("input", {
    class: "form-control",
    "aria-label": t("button_tag"),
    placeholder: t("button_tag"),
    maxlength: 200,
    value: button.tag || "",
    on: { input: (event) => ((button.tag = event.target.value), editor.changed()) },
  });
  return [el("select", { class: "form-select", "aria-label": t("kind_action"), on: { change: choose } }, options), tag];
}
