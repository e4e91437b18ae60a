import { el, readJson } from "../../common/dom.js";
import { t } from "../page_strings.js";
import { adder, texts } from "./fields.js";
import { fromDefinition, newQuestion, toDefinition } from "./model.js";
import { drawQuestion } from "./questions.js";

/** Alpine component: edits a survey's questions, keeps the definition as JSON in a hidden field. */
export function surveyEditor() {
  return {
    init() {
      const root = this.$root;
      const find = (part) => root.querySelector(`[data-${part}]`);
      const editor = {
        survey: fromDefinition(readJson(find("value"), {})),
        types: new Map(readJson(find("types"), []).map((type) => [type.name, type])),
        locales: readJson(find("locales"), []),
        changed() {
          find("output").value = JSON.stringify(toDefinition(editor.survey, editor.types));
        },
        redraw() {
          const place = focusables(root).indexOf(document.activeElement);
          find("body").replaceChildren(...draw(editor));
          focusables(root)[place]?.focus();
          editor.changed();
        },
      };
      if (!editor.survey.questions.length) editor.survey.questions.push(newQuestion(editor.survey, "nps"));
      editor.redraw();
    },
  };
}

// Redrawing drops the focused element; a keyboard user goes on at the same place.
function focusables(root) {
  return [...root.querySelectorAll("[data-body] button, [data-body] select, [data-body] input")];
}

function draw(editor) {
  const { survey } = editor;
  const add = () => (survey.questions.push(newQuestion(survey, "single")), (survey.questions.at(-1).options = [option("o1"), option("o2")]), editor.redraw());
  return [
    el("div", { class: "form-grid" }, texts(t("survey_intro"), survey.intro, editor)),
    ...survey.questions.map((question, index) => drawQuestion(question, index, editor)),
    el("div", {}, adder("add_question", add)),
    el("div", { class: "form-grid" }, texts(t("survey_thanks"), survey.thanks, editor)),
  ];
}

function option(key) {
  return { key, label: {}, tag: "" };
}
