// The message as the composer holds it, and as it is posted.

export function fromValue(value, locales) {
  const text = typeof value?.text === "string" ? { [locales[0]]: value.text } : { ...value?.text };
  const buttons = (value?.buttons || []).flat().map((button) => [
    { ...button, label: typeof button.label === "string" ? { [locales[0]]: button.label } : { ...button.label } },
  ]);
  return { ...value, text, buttons };
}

/** Languages left empty are left out, and so are buttons without any label. */
export function toValue(message) {
  const buttons = message.buttons
    .map((row) => row.map((button) => ({ ...button, label: filled(button.label) })))
    .filter((row) => Object.keys(row[0].label).length);
  return { ...message, text: filled(message.text), buttons };
}

function filled(map) {
  return Object.fromEntries(Object.entries(map).filter(([, text]) => text.trim() !== ""));
}

/** Length as channels count it: UTF-16 units of the text without its tags. */
export function visibleLength(text) {
  return text.replace(/<\/?(?:b|i|u|s|code|pre|a)(?:\s[^<>]*)?>/gi, "").length;
}
