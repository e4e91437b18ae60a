// The message as the composer holds it, and as it is posted. The composer keeps its buttons in one list; a button that is
// `joined` stands in the row of the one before it.

export function fromValue(value, locales) {
  const text = typeof value?.text === "string" ? { [locales[0]]: value.text } : { ...value?.text };
  const rows = (value?.buttons || []).map((row) => (Array.isArray(row) ? row : [row]));
  const buttons = rows.flatMap((row) => row.map((button, place) => toButton(button, place > 0, locales)));
  return { ...value, text, buttons };
}

function toButton(button, joined, locales) {
  const label = typeof button.label === "string" ? { [locales[0]]: button.label } : { ...button.label };
  const { opens, ...rest } = button;
  return opens === undefined ? { ...rest, label, joined } : { ...rest, action: opens, label, joined };
}

/** Languages left empty are left out, and so are buttons without any label. */
export function toValue(message) {
  const rows = [];
  for (const button of message.buttons) {
    const label = filled(button.label);
    if (!Object.keys(label).length) continue;
    const made = { label, ...deed(button) };
    if (button.joined && rows.length) rows.at(-1).push(made);
    else rows.push([made]);
  }
  const { photo_media_id: photo, ...rest } = message;
  return { ...rest, text: filled(message.text), buttons: rows, ...(photo ? { photo_media_id: photo } : {}) };
}

function deed(button) {
  if (button.url !== undefined) return { url: button.url };
  const tag = (button.tag || "").trim();
  return { ...(button.action ? { action: button.action } : {}), ...(tag ? { tag } : {}) };
}

function filled(map) {
  return Object.fromEntries(Object.entries(map).filter(([, text]) => text.trim() !== ""));
}

/** Length as channels count it: UTF-16 units of the text without its tags. */
export function visibleLength(text) {
  return text.replace(/<\/?(?:b|i|u|s|code|pre|a)(?:\s[^<>]*)?>/gi, "").length;
}
