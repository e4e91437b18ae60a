import { el, icon } from "../common/dom.js";
import { t } from "./page_strings.js";

/** Turns a comma-separated field into chips with one hidden field per tag. */
export function startTagsInput(field) {
  const box = field.querySelector(".tags-box");
  const input = box.querySelector("input");
  const name = field.dataset.name;
  const tags = new Set();

  const add = (text) => {
    const tag = text.trim();
    if (!tag || tags.has(tag) || tag.length > 100) return;
    tags.add(tag);
    input.before(chip(tag));
  };
  const chip = (tag) => {
    const node = el("span", { class: "chip" }, tag, el("input", { type: "hidden", name, value: tag }));
    const drop = () => (tags.delete(tag), node.remove(), input.focus());
    node.append(el("button", { type: "button", "aria-label": t("remove_tag", { name: tag }), on: { click: drop } }, icon("close")));
    return node;
  };
  const takeTyped = () => {
    input.value.split(/[,，、]/).forEach(add);
    input.value = "";
  };

  JSON.parse(field.dataset.values || "[]").forEach(add);
  input.removeAttribute("name");
  input.value = "";
  input.placeholder = t("add_tag");
  input.addEventListener("change", takeTyped);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // Enter that ends a Chinese input is not ours
    if (["Enter", ",", "，"].includes(event.key)) {
      event.preventDefault();
      takeTyped();
    }
    if (event.key === "Backspace" && !input.value) box.querySelector(".chip:last-of-type button")?.click();
  });
  box.addEventListener("click", (event) => event.target === box && input.focus());
}
