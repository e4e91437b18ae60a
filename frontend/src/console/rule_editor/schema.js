// Reads the part of JSON Schema that our parameter models produce.

/** The schema with its $ref followed and a nullable `anyOf` unwrapped: {..., nullable}. */
export function resolve(schema, definitions) {
  let found = schema;
  for (let step = 0; step < 8 && found.$ref; step += 1) {
    const { $ref, ...beside } = found;
    found = { ...(definitions[$ref.split("/").pop()] || {}), ...beside };
  }
  if (found.allOf?.length === 1) {
    const { allOf, ...beside } = found;
    return resolve({ ...allOf[0], ...beside }, definitions);
  }
  const choices = found.anyOf || found.oneOf;
  if (!choices) return found;
  const filled = choices.filter((choice) => choice.type !== "null");
  const { anyOf, oneOf, ...beside } = found;
  return { ...resolve(filled[0] || {}, definitions), ...beside, nullable: filled.length < choices.length };
}

/** Fields of a condition: [{name, schema, required}], constants left out. */
export function fieldsOf(parameters) {
  const definitions = parameters?.$defs || {};
  const required = new Set(parameters?.required || []);
  return Object.entries(parameters?.properties || {})
    .map(([name, schema]) => ({ name, schema: resolve(schema, definitions), required: required.has(name), definitions }))
    .filter((field) => field.schema.const === undefined);
}

/** First values of a new condition: defaults and constants, and the first choice where one must be made. */
export function defaultsOf(parameters) {
  const values = {};
  for (const [name, raw] of Object.entries(parameters?.properties || {})) {
    const schema = resolve(raw, parameters.$defs || {});
    const isRequired = (parameters.required || []).includes(name);
    if (schema.const !== undefined) values[name] = schema.const;
    else if (schema.default !== undefined && schema.default !== null) values[name] = schema.default;
    else if (isRequired && schema.enum) values[name] = schema.enum[0];
    else if (isRequired && schema.type === "boolean") values[name] = true;
    else if (isRequired && schema.type === "array") values[name] = [];
  }
  return values;
}

/** Choices of a field, [{value, label}], or null when it is free. */
export function choicesOf(schema) {
  if (Array.isArray(schema["x-choices"])) return schema["x-choices"];
  return schema.enum ? schema.enum.map((value) => ({ value, label: humanise(value) })) : null;
}

export function humanise(name) {
  const words = String(name).replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function isMissing(field, value) {
  const isEmpty = value === undefined || value === null || value === "" || (Array.isArray(value) && !value.length);
  return field.required && isEmpty;
}
