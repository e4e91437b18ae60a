// The survey's definition as the editor holds it, and as it is posted.

export function fromDefinition(definition) {
  const questions = (definition?.questions || []).map((question) => ({
    key: question.key,
    type: question.type,
    title: { ...question.title },
    options: (question.options || []).map((option) => ({ ...option, label: { ...option.label } })),
    required: question.required !== false,
    scale: question.scale ?? 5,
    jump: (question.jump || []).map((rule) => ({ ...fromWhen(rule.if), to: rule.to })),
    tags: (question.tags || []).map((rule) => ({ ...fromWhen(rule.if), tag: rule.tag })),
  }));
  return { intro: { ...definition?.intro }, thanks: { ...definition?.thanks }, questions };
}

// A test of several values or bounds at once, which only the API writes, is kept as it is.
function fromWhen(when) {
  const tests = Object.entries(when || {}).filter(([, value]) => value !== null && !(Array.isArray(value) && !value.length));
  if (!tests.length) return { test: "always", value: "" };
  const [[test, value]] = tests;
  const isPlain = tests.length === 1 && ["is", "at_least", "at_most"].includes(test);
  return isPlain ? { test, value } : { test: "other", value: "", when };
}

export function toDefinition(survey, types) {
  const questions = survey.questions.map((question) => {
    const type = types.get(question.type) || {};
    return {
      key: question.key.trim(),
      type: question.type,
      title: filled(question.title),
      required: question.required,
      ...(type.has_options ? { options: question.options.map(toOption) } : {}),
      ...(question.type === "rating" ? { scale: Number(question.scale) || 0 } : {}),
      ...some("jump", question.jump.map((rule) => ({ if: toWhen(rule, type), to: rule.to }))),
      ...some("tags", question.tags.map((rule) => ({ if: toWhen(rule, type), tag: rule.tag.trim() }))),
    };
  });
  return { questions, ...some("intro", filled(survey.intro)), ...some("thanks", filled(survey.thanks)) };
}

function toOption(option) {
  const tag = (option.tag || "").trim();
  return { key: option.key.trim(), label: filled(option.label), ...(tag ? { tag } : {}) };
}

function toWhen(rule, type) {
  if (rule.test === "other") return rule.when;
  if (rule.test === "always" || rule.value === "") return {};
  return { [rule.test]: type.is_numeric ? Number(rule.value) : rule.value };
}

function some(name, value) {
  return Object.keys(value).length ? { [name]: value } : {};
}

function filled(map) {
  return Object.fromEntries(Object.entries(map).filter(([, text]) => text.trim() !== "").map(([code, text]) => [code, text.trim()]));
}

export function newQuestion(survey, type) {
  return { key: freeKey("q", survey.questions), type, title: {}, options: [], required: true, scale: 5, jump: [], tags: [] };
}

export function newOption(question) {
  return { key: freeKey("o", question.options), label: {}, tag: "" };
}

function freeKey(prefix, items) {
  const taken = new Set(items.map((item) => item.key));
  let number = items.length + 1;
  while (taken.has(`${prefix}${number}`)) number += 1;
  return `${prefix}${number}`;
}

/** Gives a question another key, and leads the jumps that named the old one to the new one. */
export function rename(survey, question, key) {
  for (const other of survey.questions) {
    for (const rule of other.jump) if (rule.to === question.key) rule.to = key;
  }
  question.key = key;
}
