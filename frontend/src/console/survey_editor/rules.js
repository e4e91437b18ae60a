import { el } from "../../common/dom.js";
import { t } from "../page_strings.js";
import { adder, choice, textInput, tool } from "./fields.js";

/** Jumps and tags of a question: a test on its answer, and what follows. */
export function drawRules(question, index, editor) {
  const type = editor.types.get(question.type) || {};
  const remove = (list, rule) => () => (list.splice(list.indexOf(rule), 1), editor.redraw());
  const jumps = question.jump.map((rule) =>
    row(rule, question, type, editor, t("then_go_to"), target(rule, index, editor), remove(question.jump, rule)),
  );
  const tags = question.tags.map((rule) =>
    row(rule, question, type, editor, t("then_tag"), tagInput(rule, editor), remove(question.tags, rule)),
  );
  const addJump = () => (question.jump.push({ ...firstTest(type, question), to: "end" }), editor.redraw());
  const addTag = () => (question.tags.push({ ...firstTest(type, question), tag: "" }), editor.redraw());
  return el("div", { class: "survey-rules" }, jumps, tags,
    el("div", { class: "row-flex" }, adder("add_jump", addJump), type.is_numeric || type.has_options ? adder("add_tag_rule", addTag) : null),
  );
}

function firstTest(type, question) {
  if (type.is_numeric) return { test: "at_least", value: "" };
  return type.has_options ? { test: "is", value: question.options[0]?.key || "" } : { test: "always", value: "" };
}

function row(rule, question, type, editor, words, consequence, remove) {
  return el("div", { class: "survey-rule" },
    testSelect(rule, type, editor), valueInput(rule, question, type, editor),
    el("span", { class: "soft" }, words), consequence, tool("trash", "remove", remove),
  );
}

function testSelect(rule, type, editor) {
  const numeric = type.is_numeric ? [{ value: "at_least", label: t("answer_at_least") }, { value: "at_most", label: t("answer_at_most") }] : [];
  const exact = type.is_numeric || type.has_options ? [{ value: "is", label: t("answer_is") }] : [];
  const options = [...exact, ...numeric, { value: "always", label: t("answer_any") }];
  if (rule.test === "other") options.push({ value: "other", label: t("answer_other") });
  return choice(options, rule.test, (test) => ((rule.test = test), editor.redraw()), { "aria-label": t("answer_test") });
}

function valueInput(rule, question, type, editor) {
  if (["always", "other"].includes(rule.test)) return el("span", {});
  const change = (value) => ((rule.value = value), editor.changed());
  const attributes = { "aria-label": t("answer_value") };
  if (type.has_options) {
    const options = question.options.map((option) => ({ value: option.key, label: firstText(option.label) || option.key }));
    return choice(options, rule.value, change, attributes);
  }
  return textInput(rule.value, change, { ...attributes, type: "number", step: 1, min: 0, max: 10 });
}

function target(rule, index, editor) {
  const later = editor.survey.questions.slice(index + 1).map((question, place) => ({
    value: question.key,
    label: `${index + place + 2}. ${firstText(question.title) || question.key}`,
  }));
  const options = [...later, { value: "end", label: t("end_of_survey") }];
  return choice(options, rule.to, (to) => ((rule.to = to), editor.changed()), { "aria-label": t("then_go_to") });
}

function tagInput(rule, editor) {
  return textInput(rule.tag, (tag) => ((rule.tag = tag), editor.changed()), { maxlength: 100, placeholder: "likes:oolong", "aria-label": t("then_tag") });
}

function firstText(map) {
  return Object.values(map).find((text) => text.trim()) || "";
}
