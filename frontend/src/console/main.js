import "../styles/console.css";
import Alpine from "@alpinejs/csp";
import htmx from "htmx.org";
import { composer } from "./composer/component.js";
import { startDialogs } from "./dialogs.js";
import { csrfToken } from "./http.js";
import { refresh, showActiveTab, startCopying, startFilters, startMenus, startNavigation, startSendingByKeys, startThemeToggle } from "./page_parts.js";
import { t } from "./page_strings.js";
import { ruleEditor } from "./rule_editor/component.js";
import { surveyEditor } from "./survey_editor/component.js";
import { startTagsInput } from "./tags_input.js";
import { startToasts, toast } from "./toasts.js";

function startRequests() {
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRF-Token"] = csrfToken(event.detail.elt);
  });
  document.addEventListener("htmx:responseError", (event) => {
    toast(event.detail.xhr.status === 401 ? t("signed_out") : problemText(event.detail.xhr) || t("request_failed"), "danger");
  });
  document.addEventListener("htmx:sendError", () => toast(t("request_failed"), "danger"));
  document.addEventListener("htmx:load", (event) => prepare(event.detail.elt));
}

function problemText(request) {
  try {
    return JSON.parse(request.responseText).detail;
  } catch {
    return "";
  }
}

function prepare(root) {
  const scope = root.parentElement || root;
  refresh(scope);
  for (const field of scope.querySelectorAll("[data-tags-input]:not([data-ready])")) {
    field.dataset.ready = "";
    startTagsInput(field);
  }
}

Object.assign(htmx.config, { includeIndicatorStyles: false, allowEval: false, allowScriptTags: false });
startRequests();
startToasts();
startDialogs();
startMenus();
startNavigation();
startThemeToggle();
startCopying();
startFilters();
startSendingByKeys();
showActiveTab();
prepare(document.body);

Alpine.data("ruleEditor", ruleEditor);
Alpine.data("composer", composer);
Alpine.data("surveyEditor", surveyEditor);
Alpine.start();
