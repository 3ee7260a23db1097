/** What a step does, in one line, from the sentences of its type's schema (`step_words.py` says the same). */

const MOST = 90;

/** A value as it is said: `{{ customer.email | upper }}` is the customer email. */
function said(value) {
  if (value === undefined || value === null) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(said).filter(Boolean).join(", ");
  if (typeof value === "object") return Object.entries(value).map(([name, one]) => (one === null ? `no ${name}` : `${name}: ${said(one)}`)).join(", ");
  const text = String(value).replaceAll(/\{\{\s*([\w.[\]]+)[^}]*\}\}/g, (_, path) => path.replaceAll(/[._[\]]+/g, " ").trim()).replaceAll(/\s+/g, " ").trim();
  const letters = [...text];
  return letters.length > MOST ? `${letters.slice(0, MOST).join("")}…` : text;
}

/** Say what a config comes to: the first of the type's sentences whose fields are filled in. */
export function stepWords(schema, config) {
  for (const sentence of schema["x-summary"] ?? []) {
    const names = [...sentence.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const values = new Map(names.map((name) => [name, said(config[name] ?? schema.properties?.[name]?.default)]));
    if ([...values.values()].every(Boolean)) return sentence.replaceAll(/\{(\w+)\}/g, (_, name) => values.get(name));
  }
  return "";
}
