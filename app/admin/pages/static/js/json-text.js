/** JSON as a person writes it, read as the API reads it: a key stands once in its object. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs;

/** The path of the first key that stands twice in one object of a text that is JSON; null where none does. */
function repeated(text) {
  const open = [];
  let last = "";
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{") open.push({ seen: new Set(), at: "" });
    else if (token === "[") open.push({ seen: null, at: 0 });
    else if (token === "}" || token === "]") open.pop();
    else if (token === ",") { if (open.at(-1).seen === null) open.at(-1).at += 1; }
    else if (token !== ":") last = token;
    else {
      const here = open.at(-1);
      here.at = JSON.parse(last);
      if (here.seen.has(here.at)) return open.map(({ at }) => (typeof at === "number" ? `[${at}]` : `.${at}`)).join("").replace(/^\./, "");
      here.seen.add(here.at);
    }
  }
  return null;
}

/** JSON that has a key twice: which value counts nobody could tell. */
export class Repeated extends Error {}

/**
 * Read JSON.
 *
 * @throws {Error} It is none; or {@link Repeated}: it has a key twice. The text says which.
 */
export function readJson(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`This is no JSON: ${error.message}`);
  }
  const path = repeated(text);
  if (path !== null) throw new Repeated(`“${path}” is there more than once in its object: leave one`);
  return value;
}

/** What a text is as JSON; the text itself where it is none, or has a key twice, which the API refuses by its path. */
export function jsonOrText(text) {
  try {
    return readJson(text);
  } catch {
    return text;
  }
}
