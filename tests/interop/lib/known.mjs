// A description in which the values of one run stand in the place of free text, so that requests made from it come past
// the door and reach what is behind it.

/**
 * The description once more. `known` says for an address which parameters have which values (`null` leaves one out, and an
 * object says how it is narrowed), which of them nothing succeeds without, which headers there are, and which bodies are
 * whole and good. Names are compared in lower case.
 */
export function withValues(document, known) {
  const copy = structuredClone(document);
  for (const [path, item] of Object.entries(copy.paths)) {
    for (const operation of Object.values(item)) narrow(copy, operation, known(path));
  }
  return copy;
}

function narrow(document, operation, { values, needed, headers = {}, bodies = [] }) {
  const [value, isNeeded] = [(name) => values[name.toLowerCase()], (name) => needed.includes(name.toLowerCase())];
  const narrowed = (name, schema) => ({ ...schema, ...(Array.isArray(value(name)) ? { enum: value(name) } : value(name)) });
  // Whoever calls says so in the form, or by the header that is given.
  delete operation.security;
  const own = Object.entries(headers).map(([name, only]) => ({
    ...{ name, in: "header", required: true },
    schema: { type: "string", enum: [only] },
  }));
  const parameters = (operation.parameters ?? []).filter(({ name }) => value(name) !== null);
  operation.parameters = own.concat(
    parameters.map((one) => ({ ...one, required: isNeeded(one.name), schema: narrowed(one.name, one.schema) })),
  );
  for (const content of Object.values(operation.requestBody?.content ?? {})) {
    content.examples = Object.fromEntries(bodies.map((body, at) => [`${at}`, { value: body }]));
    const kept = Object.entries(members(document, content.schema)).filter(([name]) => value(name) !== null);
    content.schema = {
      type: "object",
      properties: Object.fromEntries(kept.map(([name, schema]) => [name, narrowed(name, schema)])),
      additionalProperties: false,
      required: kept.map(([name]) => name).filter(isNeeded),
    };
  }
}

/** The members of a schema, those that it takes from others among them. */
function members(document, { $ref, allOf = [], properties = {} }) {
  if ($ref) return members(document, document.components.schemas[$ref.split("/").at(-1)]);
  return Object.assign({}, ...allOf.map((part) => members(document, part)), properties);
}
