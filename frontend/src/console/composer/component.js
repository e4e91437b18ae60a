import { debounce, readJson } from "../../common/dom.js";
import { layoutFragment } from "../../common/layout_fragment.js";
import { csrfToken, postJson } from "../http.js";
import { refresh } from "../page_parts.js";
import { t } from "../page_strings.js";
import { drawButtons, emptyButton } from "./buttons.js";
import { fromValue, toValue, visibleLength } from "./message.js";
import { drawPhoto } from "./photo.js";

/** Alpine component: writes a message in several languages, shows it as members will see it. */
export function composer() {
  return {
    init() {
      const root = this.$root;
      const find = (part) => root.querySelector(`[data-${part}]`);
      const tabs = [...root.querySelectorAll("[data-locale]")];
      const locales = tabs.map((tab) => tab.dataset.locale);
      const area = find("text");
      const reader = find("reader");
      const showPreview = previewer(root, find("preview"));

      const editor = {
        message: fromValue(readJson(find("value"), {}), locales),
        actions: readJson(find("actions"), []),
        locale: locales[0],
        addButton: find("add-button"),
        changed() {
          find("output").value = JSON.stringify(toValue(editor.message));
          showCount(find("counter"), area.value, Number(root.dataset.limit));
          showPreview(toValue(editor.message), editor.locale, reader?.value || "");
          tabs.forEach((tab) => tab.classList.toggle("is-filled", Boolean(editor.message.text[tab.dataset.locale]?.trim())));
        },
        redrawButtons() {
          drawButtons(find("buttons"), editor);
          editor.changed();
        },
        choose(locale) {
          editor.locale = locale;
          tabs.forEach((tab) => tab.setAttribute("aria-selected", String(tab.dataset.locale === locale)));
          area.value = editor.message.text[locale] || "";
          area.lang = locale;
          editor.redrawButtons();
        },
      };

      tabs.forEach((tab) => tab.addEventListener("click", () => editor.choose(tab.dataset.locale)));
      area.addEventListener("input", () => {
        editor.message.text[editor.locale] = area.value;
        editor.changed();
      });
      root.querySelectorAll("[data-wrap]").forEach((tool) => tool.addEventListener("click", () => wrap(area, tool.dataset.wrap)));
      root.querySelectorAll("[data-insert]").forEach((tool) =>
        tool.addEventListener("click", () => {
          tool.closest("details").removeAttribute("open");
          replaceSelection(area, tool.dataset.insert);
        }),
      );
      editor.addButton.addEventListener("click", () => {
        editor.message.buttons.push(emptyButton());
        editor.redrawButtons();
        find("buttons").lastElementChild.querySelector("input").focus();
      });
      reader?.addEventListener("change", () => editor.changed());
      reader?.addEventListener("htmx:afterSwap", () => editor.changed());
      if (find("photo")) drawPhoto(find("photo"), editor);
      editor.choose(locales.find((locale) => editor.message.text[locale]) || locales[0]);
    },
  };
}

function wrap(area, tag) {
  const chosen = area.value.slice(area.selectionStart, area.selectionEnd);
  replaceSelection(area, `<${tag}>${chosen}</${tag}>`, chosen ? 0 : tag.length + 3);
}

function replaceSelection(area, text, stepBack = 0) {
  area.focus();
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  if (stepBack) area.setSelectionRange(area.selectionEnd - stepBack, area.selectionEnd - stepBack);
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

function showCount(counter, text, limit) {
  const used = visibleLength(text);
  const over = used > limit ? ` · ${t("over_limit", { over: used - limit })}` : "";
  counter.textContent = t("characters", { used, limit }) + over;
  counter.classList.toggle("is-over", used > limit);
}

function previewer(root, holder) {
  let running = null;
  return debounce(async (message, locale, memberId) => {
    running?.abort();
    const mine = (running = new AbortController());
    try {
      const options = { token: csrfToken(root), signal: mine.signal, accept: "text/html" };
      const answer = await postJson(root.dataset.previewUrl, { message, locale, member_id: memberId }, options);
      holder.replaceChildren(layoutFragment(await answer.text()));
      refresh(holder);
    } catch (error) {
      if (error.name === "AbortError" || mine !== running) return;
      holder.replaceChildren(note(error));
    }
  }, 300);
}

function note(error) {
  const node = document.createElement("p");
  node.className = "notice tone-warning";
  node.textContent = error.status === 422 && error.message ? error.message : t("preview_failed");
  return node;
}
