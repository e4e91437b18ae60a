import { el, icon } from "../../common/dom.js";
import { csrfToken, postForm } from "../http.js";
import { t } from "../page_strings.js";
import { toast } from "../toasts.js";

/** Draws the message's picture, or the field that takes one; the file goes to the server at once. */
export function drawPhoto(holder, editor) {
  const id = editor.message.photo_media_id;
  holder.replaceChildren(id ? picture(holder, editor, id) : chooser(holder, editor));
}

function picture(holder, editor, id) {
  const remove = () => set(holder, editor, null);
  return el("div", { class: "photo-field" },
    el("img", { src: `${holder.dataset.photo}/${encodeURIComponent(id)}`, alt: t("picture") }),
    el("button", { type: "button", class: "btn btn-sm", on: { click: remove } }, icon("trash"), t("remove_picture")),
  );
}

function chooser(holder, editor) {
  const input = el("input", {
    type: "file",
    accept: "image/png,image/jpeg,image/webp",
    "aria-label": t("picture"),
    on: { change: () => input.files[0] && upload(holder, editor, input) },
  });
  return el("div", { class: "file-drop", "data-file-drop": true }, icon("photo", "icon-lg"), input);
}

async function upload(holder, editor, input) {
  input.disabled = true;
  const form = new FormData();
  form.append("file", input.files[0]);
  try {
    const answer = await postForm(holder.dataset.photo, form, { token: csrfToken(holder) });
    set(holder, editor, (await answer.json()).id);
  } catch (error) {
    toast(error.message || t("request_failed"), "danger");
    drawPhoto(holder, editor);
  }
}

function set(holder, editor, id) {
  if (id) editor.message.photo_media_id = id;
  else delete editor.message.photo_media_id;
  drawPhoto(holder, editor);
  editor.changed();
}
