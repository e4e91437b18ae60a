import { el, icon } from "../common/dom.js";
import { t } from "./page_strings.js";

const ICONS = { success: "success", warning: "alert", danger: "error", info: "info" };

/** Shows a short message in the corner; the operator dismisses it, good news go by themselves. */
export function toast(text, tone = "info") {
  const close = el("button", { type: "button", "data-dismiss": true, "aria-label": t("dismiss") }, icon("close", "icon-sm"));
  const note = el("div", { class: "toast-note", "data-tone": tone }, icon(ICONS[tone] || "info"), el("p", {}, text), close);
  document.getElementById("toasts")?.append(note);
  fade(note);
}

function fade(note) {
  if (["success", "info"].includes(note.dataset.tone)) setTimeout(() => note.remove(), 7000);
}

export function startToasts() {
  document.querySelectorAll(".toast-note").forEach(fade);
  document.addEventListener("click", (event) => {
    event.target.closest?.("[data-dismiss]")?.closest(".toast-note, .notice, .banner")?.remove();
  });
}
