/** What publishing would change, before it does: in words, for what waits, what is missing, and for the last events. */
import { call } from "./api.js";
import { opened } from "./dialogs.js";
import { make } from "./dom.js";
import { mistakes, placeWords } from "./draft-parts.js";

const JUDGED = { runs: "runs", conditions_not_met: "conditions not met", turned_away: "turned away by the trigger", cannot_enter: "nothing to count entries by", blocked: "blocked as a loop", cannot_be_judged: "cannot be judged" };
const MEND = [[/channel/, "/settings/channels", "To the channels"], [/secret/, "/settings/secrets", "To the secrets"], [/template/, "/settings/messages", "To the message templates"]];
const SHOWN = 8;

const many = (count, one) => `${count.toLocaleString()} ${one}${count === 1 ? "" : "s"}`;

/** Words with the names between asterisks in bold; what stands in quotes is a value. */
export function emphasized(text) {
  const found = [...text.matchAll(/"(?:[^"\\]|\\.)*"|\*([^*]+)\*|[^"*]+|["*]/g)];
  return found.map(([whole, name]) => (name ? make("strong", { text: name }) : document.createTextNode(whole)));
}

function problems(found, reveal) {
  return make("section", { class: "stack" }, make("h3", { text: "What keeps it from being published" }), make("ul", { class: "wrong" }, ...mistakes(found).map((one) => {
    const mend = MEND.find(([words]) => words.test(one.message) && /there is no|is not set|may not be sent/.test(one.message));
    const go = make("button", { type: "button", class: "quiet", text: placeWords(one.path), click: (event) => {
      event.target.closest("dialog").close();
      reveal(one.path);
    } });
    return make("li", {}, go, `: ${one.message}${mend ? ". " : ""}`, mend ? make("a", { href: mend[1], text: mend[2] }) : null);
  })));
}

function judged({ events, live, draft, different }, { active, ever }) {
  if (!events) return [make("p", { text: "No workflow has judged an event of this type yet, so there is nothing to compare with. Try it shows what this one does with an event." })];
  // What was only begun has no other version to be compared with.
  const names = Object.keys(JUDGED).filter((one) => (ever && live[one]) || draft[one]);
  const rows = names.map((one) => make("tr", {}, make("th", { scope: "row", text: JUDGED[one] }), ever ? make("td", { class: "number", text: String(live[one] ?? 0) }) : null, make("td", { class: "number", text: String(draft[one] ?? 0) })));
  const head = make("tr", {}, ...["", ...(ever ? [active ? "Live version" : "As it is"] : []), "Draft"].map((text) => make(text ? "th" : "td", text ? { scope: "col", class: "number", text } : {})));
  const changed = (ever ? different : []).slice(0, SHOWN).map((one) => make("li", {}, make("a", { href: `/executions/${one.execution_id}`, text: one.event_id }), `: ${JUDGED[one.live]} as it is, ${JUDGED[one.draft]} with the draft`));
  const rest = ever ? different.length - changed.length : 0;
  if (rest > 0) changed.push(make("li", { text: `and ${rest} more` }));
  return [
    make("h3", { text: events === 1 ? "The last event of this type" : `The last ${many(events, "event")} of this type` }),
    make("table", { class: "judged" }, make("thead", {}, head), make("tbody", {}, ...rows)),
    changed.length || !ever ? make("ul", { class: "wrong", hidden: !ever }, ...changed) : make("p", { text: "The draft judges every one of them the same." }),
  ];
}

/**
 * Show the preview, and ask.
 *
 * @param {string} path The workflow's, below `/api/v1`.
 * @param {{active: boolean, ever: boolean}} live Whether it is switched on, and whether it was ever more than begun.
 * @param {(path: string) => void} reveal Leads to a field.
 * @returns {Promise<string>} `publish`, `on` where it is to be switched on too, or empty.
 */
export async function previewed(path, live, reveal) {
  const { active } = live;
  const { value } = await call("GET", `${path}/publish-preview`);
  const words = value.words.length ? make("ul", { class: "wrong" }, ...value.words.map((text) => make("li", {}, ...emphasized(text)))) : make("p", { text: "Nothing differs from what is there." });
  const content = [make("section", { class: "stack" }, make("h3", { text: "What changes" }), words)];
  if (value.waiting) content.push(make("p", { text: `${many(value.waiting, "execution")} ${value.waiting === 1 ? "waits" : "wait"}, and ${value.waiting === 1 ? "finishes" : "finish"} on version ${value.live_version}.` }));
  if (value.problems.length) content.unshift(problems(value.problems, reveal));
  if (value.judged) content.push(make("section", { class: "stack" }, ...judged(value.judged, live)));
  const buttons = [{ label: "Not yet", value: "" }];
  if (!value.problems.length && !active) buttons.push({ label: "Publish, leave it off", value: "publish" });
  if (!value.problems.length) buttons.push(active ? { label: "Publish", value: "publish", kind: "primary" } : { label: "Publish and switch on", value: "on", kind: "primary" });
  return opened(`Publish ${active ? "the changes" : "this workflow"}?`, content, buttons);
}

/** Ask whether to publish over what was published since the draft was begun; the words say what that undoes. */
export async function overwritten(path, from, to) {
  const { value } = await call("GET", `${path}/diff?from=${from}&to=${to}`);
  const list = make("ul", { class: "wrong" }, ...value.words.map((text) => make("li", {}, ...emphasized(text))));
  const said = make("p", { text: `Version ${to} was published since this draft was begun. Publishing the draft would undo what it changed:` });
  return (await opened("Publish over a newer version?", [said, list], [{ label: "Not yet", value: "" }, { label: "Publish over it", value: "yes", kind: "danger" }])) === "yes";
}
