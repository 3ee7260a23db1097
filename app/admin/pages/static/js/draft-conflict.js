/** When somebody else has saved meanwhile: both are shown part by part, and nothing of either goes before it is chosen. */
import { call, Problem } from "./api.js";
import { opened } from "./dialogs.js";
import { make, newId } from "./dom.js";
import { PARTS, partWords, samePart } from "./draft-parts.js";

/** What is on the server now: the draft, or what is live where it was published or discarded. */
export async function theirs(path) {
  try {
    const { value, version } = await call("GET", `${path}/draft`);
    return { draft: value, body: value.workflow, number: version };
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 404) throw error;
    const { value } = await call("GET", path);
    return { draft: null, live: value, body: Object.fromEntries(PARTS.map(([name]) => [name, value[name]])), number: '"0"' };
  }
}

function side(name, label, body, chosen) {
  const radio = make("input", { type: "radio", name: `keep-${name}`, value: label, checked: chosen });
  return make("td", {}, make("label", { class: "stack" }, make("span", { class: "choice" }, radio, label), ...partWords(name, body).map((text) => make("span", { class: "small", text }))));
}

/**
 * Ask which parts are to stay.
 *
 * @param {object} mine What is here.
 * @param {object} base What both began from.
 * @param {object} other What is there.
 * @returns {Promise<object|null>} The whole as it was chosen; null where it was not.
 */
export async function chosenOf(mine, base, other) {
  const differing = PARTS.filter(([name]) => !samePart(name, mine, other.body));
  if (!differing.length) return mine;
  const rows = differing.map(([name, words]) => {
    const keep = !samePart(name, mine, base);
    return make("tr", {}, make("th", { scope: "row", text: words }), side(name, "Yours", mine, keep), side(name, "Theirs", other.body, !keep));
  });
  const head = make("tr", {}, ...["Part", "Yours", "Theirs"].map((text) => make("th", { scope: "col", text })));
  const table = make("table", { class: "both", id: newId() }, make("thead", {}, head), make("tbody", {}, ...rows));
  const what = other.draft ? "Somebody else has saved this draft since you read it." : "The draft was published or discarded since you read it.";
  const words = make("p", { text: `${what} Choose which of each part stays. What you wrote is kept here until you do.` });
  const buttons = [{ label: "Not now", value: "" }, { label: "Save what is chosen", value: "save", kind: "primary" }];
  if ((await opened("Two versions of this draft", [words, make("div", { class: "table" }, table)], buttons)) !== "save") return null;
  const taken = differing.filter(([name]) => table.querySelector(`input[name="keep-${name}"]:checked`).value === "Theirs");
  return { ...mine, ...Object.fromEntries(taken.map(([name]) => [name, other.body[name]])) };
}
