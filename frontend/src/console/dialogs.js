// Native dialogs: opened by data-open-dialog="ID", closed by data-close-dialog, Escape or a click outside.

export function startDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-open-dialog]");
    if (opener) open(document.getElementById(opener.dataset.openDialog), opener);
    if (event.target.closest?.("[data-close-dialog]")) event.target.closest("dialog")?.close();
    if (event.target instanceof HTMLDialogElement && isOutside(event)) event.target.close();
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches?.("[data-typed]")) judgeTyped(event.target.form);
  });
  for (const dialog of document.querySelectorAll("dialog[data-open-at-start]")) {
    dialog.removeAttribute("open"); // without scripts it stands open in the page
    dialog.showModal();
  }
}

function open(dialog, opener) {
  if (!dialog) return;
  opener.closest("details.menu")?.removeAttribute("open");
  dialog.querySelectorAll("form").forEach(judgeTyped);
  dialog.showModal();
  dialog.querySelector("[data-typed], [autofocus]")?.focus();
}

function isOutside(event) {
  const box = event.target.getBoundingClientRect();
  const { clientX: x, clientY: y } = event;
  return x < box.left || x > box.right || y < box.top || y > box.bottom;
}

function judgeTyped(form) {
  const wanted = form?.dataset.typedConfirm;
  if (wanted === undefined) return;
  const typed = form.querySelector("[data-typed]").value.trim();
  form.querySelector('[type="submit"]').disabled = typed !== wanted;
}
