import { debounce, readJson } from "../../common/dom.js";
import { liveCount } from "./count.js";
import { defaultsOf, fieldsOf, isMissing } from "./schema.js";
import { fromRule, toRule } from "./tree.js";
import { drawGroup } from "./view.js";

/** Alpine component: edits a rule tree, keeps its JSON in a hidden field, counts while one edits. */
export function ruleEditor() {
  return {
    init() {
      const root = this.$root;
      const conditions = readJson(root.querySelector("[data-conditions]"), []);
      const catalogue = new Map(conditions.map((item) => [item.name, item]));
      const tree = fromRule(readJson(root.querySelector("[data-rule]"), {}));
      const output = root.querySelector("[data-output]");
      const count = liveCount(root);
      const ask = debounce(() => (isComplete(tree, catalogue) ? count.ask(toRule(tree)) : count.incomplete()), 350);

      const editor = {
        catalogue,
        defaults: (name) => defaultsOf(catalogue.get(name)?.parameters),
        changed() {
          output.value = JSON.stringify(toRule(tree));
          ask();
        },
        restructured() {
          const place = focusPath(root);
          root.querySelector("[data-tree]").replaceChildren(drawGroup(tree, editor));
          restoreFocus(root, place);
          editor.changed();
        },
      };
      editor.restructured();
    },
  };
}

function isComplete(node, catalogue) {
  if (node.kind === "group") return node.children.every((child) => isComplete(child, catalogue));
  const fields = fieldsOf(catalogue.get(node.name)?.parameters);
  return fields.every((field) => !isMissing(field, node.values[field.name]));
}

const FOCUSABLE = "[data-tree] button, [data-tree] select, [data-tree] input";

function focusPath(root) {
  return [...root.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
}

// Redrawing drops the focused element; a keyboard user goes on at the same place.
function restoreFocus(root, place) {
  if (place >= 0) [...root.querySelectorAll(FOCUSABLE)][place]?.focus();
}
