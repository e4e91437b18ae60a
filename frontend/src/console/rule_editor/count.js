import { csrfToken, postJson } from "../http.js";
import { t } from "../page_strings.js";
import { el, icon } from "../../common/dom.js";

/** Asks the server how many members match, and shows the newest answer only. */
export function liveCount(root) {
  const bar = root.querySelector("[data-count]");
  let running = null;

  const show = (state, ...content) => {
    bar.dataset.state = state;
    bar.replaceChildren(...content);
  };

  return {
    incomplete() {
      running?.abort();
      show("waiting", el("span", {}, t("complete_first")));
    },
    async ask(rule) {
      running?.abort();
      const mine = (running = new AbortController());
      bar.dataset.state = "busy";
      try {
        const answer = await postJson(root.dataset.previewUrl, { rule }, { token: csrfToken(root), signal: mine.signal });
        const { count, sample = [], warnings = [] } = await answer.json();
        if (mine === running) show("ready", ...figures(count, sample), ...warnings.map(warned));
      } catch (error) {
        if (error.name === "AbortError" || mine !== running) return;
        show("error", el("span", {}, error.message && error.status ? error.message : t("count_failed")));
      }
    },
  };
}

function figures(count, sample) {
  const names = sample.slice(0, 3).map((member) => member.display_name || member.name).filter(Boolean);
  const words = t(count === 1 ? "member_matches" : "members_match");
  const example = names.length ? el("span", { class: "sample clip" }, t("for_example", { names: names.join(", ") })) : null;
  return [el("strong", {}, Number(count).toLocaleString()), el("span", {}, words), example].filter(Boolean);
}

function warned(warning) {
  return el("p", { class: "rule-warning" }, icon("alert"), el("span", {}, warning.text));
}
