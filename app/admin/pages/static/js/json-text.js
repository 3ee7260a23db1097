/** JSON as a person pastes it, read as the API reads it: a key stands once in its object. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:]/gs;

/** The first key that stands twice in one object of a text that is JSON; null where none does. */
function repeated(text) {
  const open = [];
  let last = "";
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (token !== ":") last = token;
    else {
      const key = JSON.parse(last);
      if (open.at(-1).has(key)) return key;
      open.at(-1).add(key);
    }
  }
  return null;
}

/**
 * Read JSON.
 *
 * @throws {Error} It is none, or has a key twice; the text says which.
 */
export function readJson(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`This is no JSON: ${error.message}`);
  }
  const key = repeated(text);
  if (key !== null) throw new Error(`“${key}” is there more than once in its object: leave one`);
  return value;
}
