/** The editor's state line: what is live, and what became of the draft. */
import { make } from "./dom.js";
import { said } from "./times.js";

const when = (at) => {
  const date = new Date(at);
  return make("time", { dateTime: date.toISOString(), text: said(date), title: `${date.toLocaleString()} (${date.toISOString()})`, tabIndex: 0 });
};

/** What is live, in words. */
function live({ active, version, at, by, ever }) {
  if (!ever) return ["Not switched on yet."];
  return [`${active ? "Live: version" : "Switched off: version"} ${version}, ${active ? "published" : "written"} `, when(at), by ? ` by ${by}.` : "."];
}

/** What became of the draft, in words. */
function draft(keeper, { me, people }) {
  if (keeper.stopped) return ["Not saved: somebody else has saved this draft."];
  if (keeper.failed && keeper.unsaved) return [`Not saved: ${keeper.failed}`];
  if (keeper.running) return ["Saving your changes…"];
  if (keeper.unsaved) return ["Your draft has changes that are not saved yet."];
  if (!keeper.draft) return ["No changes since."];
  const { changes, saved_at: at, saved_by: by } = keeper.draft;
  return [`${by === me ? "Your draft" : "The draft"}: ${changes} ${changes === 1 ? "change" : "changes"}, saved `, when(at), by === me ? "." : ` by ${people[by] ?? "somebody else"}.`];
}

/** Say it all in an element. */
export function showState(element, keeper, state) {
  element.replaceChildren(...live(state.live), " ", ...draft(keeper, state));
}
