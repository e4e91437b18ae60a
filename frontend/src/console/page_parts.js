// Small behaviours of the frame: menus, navigation on a phone, theme, copying, filters, rich text.
import { richText } from "../common/rich_text.js";
import { t } from "./page_strings.js";
import { toast } from "./toasts.js";

export function startMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.removeAttribute("open");
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeMenus();
    if (["ArrowDown", "ArrowUp"].includes(event.key)) moveInMenu(event);
  });
}

function closeMenus() {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.removeAttribute("open");
    menu.querySelector("summary").focus();
  }
}

function moveInMenu(event) {
  const menu = event.target.closest?.("details.menu[open]");
  if (!menu) return;
  event.preventDefault();
  const items = [...menu.querySelectorAll(".menu-item")];
  const step = event.key === "ArrowDown" ? 1 : -1;
  const at = items.indexOf(document.activeElement);
  items[(at + step + items.length) % items.length]?.focus();
}

export function startNavigation() {
  const opener = document.querySelector("[data-nav-open]");
  const set = (isOpen) => {
    document.body.classList.toggle("nav-open", isOpen);
    opener?.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) document.querySelector(".side-link")?.focus();
  };
  opener?.addEventListener("click", () => set(true));
  document.querySelector("[data-nav-close]")?.addEventListener("click", () => set(false));
  document.addEventListener("keydown", (event) => event.key === "Escape" && set(false));
}

export function startThemeToggle() {
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-toggle]")) return;
    const root = document.documentElement;
    const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
    root.dataset.bsTheme = next;
    localStorage.setItem("siyu-theme", next);
    document.dispatchEvent(new Event("siyu:theme"));
  });
}

export function startCopying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      const label = button.querySelector("[data-copy-label]") || button;
      const before = label.textContent;
      label.textContent = t("copied");
      setTimeout(() => (label.textContent = before), 2000);
    } catch {
      toast(t("copy_failed"), "warning"); // plain http addresses have no clipboard
    }
  });
}

export function startFilters() {
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-auto-submit] select")) event.target.form.requestSubmit();
  });
  for (const kind of ["dragenter", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.target.closest?.("[data-file-drop]")?.classList.toggle("is-over", kind === "dragenter");
    });
  }
}

export function startSendingByKeys() {
  document.addEventListener("keydown", (event) => {
    const wants = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing;
    if (wants && event.target.matches?.("[data-send-by-keys]")) event.target.form.requestSubmit();
  });
}

/** On a phone the tab one is at may stand outside of the strip. */
export function showActiveTab() {
  for (const tab of document.querySelectorAll('.tabs [aria-current="page"]')) {
    tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 24;
  }
}

/** Builds what is to be built inside `root`: rich message text, conversations scrolled to their end. */
export function refresh(root) {
  for (const node of root.querySelectorAll("[data-rich]")) {
    const html = node.textContent;
    node.removeAttribute("data-rich");
    node.replaceChildren(richText(html));
  }
  for (const node of root.querySelectorAll("[data-scroll-end]")) node.scrollTop = node.scrollHeight;
}
