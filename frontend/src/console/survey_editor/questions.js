import { el } from "../../common/dom.js";
import { t } from "../page_strings.js";
import { adder, choice, labelled, textInput, texts, tool } from "./fields.js";
import { newOption, rename } from "./model.js";
import { drawRules } from "./rules.js";

/** The card of one question. */
export function drawQuestion(question, index, editor) {
  const type = editor.types.get(question.type) || {};
  return el("section", { class: "survey-question", "aria-label": `${t("question")} ${index + 1}` },
    head(question, index, editor),
    el("div", { class: "form-grid" }, texts(t("question_title"), question.title, editor)),
    type.has_options ? drawOptions(question, editor) : null,
    question.type === "rating" ? scale(question, editor) : null,
    drawRules(question, index, editor),
  );
}

function head(question, index, editor) {
  const list = editor.survey.questions;
  const move = (step) => () => {
    list.splice(index + step, 0, list.splice(index, 1)[0]);
    editor.redraw();
  };
  const kinds = [...editor.types.values()].map((type) => ({ value: type.name, label: type.label }));
  const pick = (name) => {
    question.type = name;
    if (editor.types.get(name)?.has_options && !question.options.length) question.options.push(newOption(question));
    question.jump = [];
    question.tags = [];
    editor.redraw();
  };
  const key = textInput(question.key, (text) => (rename(editor.survey, question, text.trim()), editor.changed()), { class: "form-control mono", maxlength: 40, "aria-label": t("question_key"), title: t("question_key") });
  const required = el("input", { type: "checkbox", class: "form-check-input", checked: question.required, on: { change: (event) => ((question.required = event.target.checked), editor.changed()) } });
  return el("div", { class: "survey-head" },
    el("span", { class: "step-mark" }, String(index + 1)),
    choice(kinds, question.type, pick, { "aria-label": t("question_type") }), key,
    el("label", { class: "check" }, required, el("span", {}, t("must_answer"))),
    el("span", { class: "survey-tools" },
      tool("arrow-up", "move_up", move(-1), index === 0),
      tool("arrow-down", "move_down", move(1), index === list.length - 1),
      tool("trash", "remove", () => (list.splice(index, 1), editor.redraw()), list.length === 1),
    ),
  );
}

function drawOptions(question, editor) {
  const rows = question.options.map((option, place) => {
    const labels = editor.locales.map(([code, name]) =>
      textInput(option.label[code], (text) => ((option.label[code] = text), editor.changed()), { lang: code, maxlength: 60, placeholder: `${t("option_label")} · ${name}`, "aria-label": `${t("option_label")} ${place + 1} · ${name}` }),
    );
    const tag = textInput(option.tag, (text) => ((option.tag = text), editor.changed()), { maxlength: 100, placeholder: t("button_tag"), "aria-label": `${t("button_tag")} ${place + 1}` });
    const remove = () => (question.options.splice(place, 1), editor.redraw());
    return el("div", { class: "survey-option" }, labels, tag, tool("trash", "remove", remove, question.options.length === 1));
  });
  const add = () => (question.options.push(newOption(question)), editor.redraw());
  return el("div", { class: "stack-sm" }, rows, el("div", {}, adder("add_option", add)));
}

function scale(question, editor) {
  const input = textInput(question.scale, (text) => ((question.scale = text), editor.changed()), { type: "number", min: 2, max: 10, step: 1 });
  return el("div", { class: "survey-scale" }, labelled(t("best_rating"), input));
}
