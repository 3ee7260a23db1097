/** The fields of the events of a type: from the API's answer, with what a person calls their types. */

const NAMES = { number: "number", integer: "number", string: "text", boolean: "yes or no", array: "list", object: "group" };
const ENVELOPE = [
  { path: "event.subject", type: "text", example: "c-1001", values: [] },
  { path: "event.type", type: "text", example: "order.paid", values: [] },
  { path: "event.time", type: "time", example: "", values: [] },
];

/** Say a path as a person does: `order.total` is the order total. */
export const spoken = (path) => path.replace(/[._]/g, " ");

function typed(field) {
  if (field.format === "date-time") return "time";
  if (field.format === "decimal") return "number";
  const names = new Set(field.types.filter((one) => one !== "null").map((one) => NAMES[one]));
  return names.size === 1 ? [...names][0] : "";
}

function* leaves(value, path) {
  if (value === null) yield { path, types: [], examples: [] };
  else if (Array.isArray(value)) {
    yield { path, types: ["array"], examples: value.filter((one) => typeof one !== "object").slice(0, 5) };
    if (value[0] && typeof value[0] === "object") yield* leaves(value[0], `${path}.0`);
  } else if (typeof value === "object") {
    for (const [name, one] of Object.entries(value)) yield* leaves(one, path ? `${path}.${name}` : name);
  } else {
    const text = typeof value === "string";
    const format = text && /^-?\d+\.\d+$/.test(value) ? "decimal" : text && /^\d{4}-\d\d-\d\dT/.test(value) ? "date-time" : undefined;
    yield { path, types: [typeof value], format, examples: [value] };
  }
}

/**
 * Return the fields of a type's events: those that were seen, and where none were those of its sample.
 *
 * @param {object|null} type The API's answer about the type.
 */
export function fieldsOf(type) {
  const found = new Map();
  for (const one of [...(type?.seen?.fields ?? []), ...leaves(type?.sample?.data ?? {}, "")]) {
    if (!one.path || one.path.includes("*") || found.has(one.path)) continue;
    const values = one.examples ?? [];
    const list = found.get(/^(.*)\.\d+$/.exec(one.path)?.[1]);
    if (list?.type === "list") {
      // One asks what a list contains, not what its first entry is, which is another for each customer.
      if (!list.values.length) Object.assign(list, { values, example: values[0] ?? "" });
      continue;
    }
    const kind = typed(one);
    if (kind !== "group") found.set(one.path, { path: one.path, type: kind, example: values[0] ?? "", values });
  }
  return [...found.values(), ...ENVELOPE];
}

const known = new WeakMap();

/** Find a field by its path; any element of a list is described by the first. */
export function fieldAt(fields, path) {
  if (!known.has(fields)) known.set(fields, new Map(fields.map((one) => [one.path, one])));
  return known.get(fields).get(path.replace(/\.\d+(?=\.|$)/g, ".0"));
}
