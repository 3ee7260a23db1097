/** The keyboard's shortcuts: `/` to the search box, `?` lists them all; a page adds its own. */
import { opened } from "./dialogs.js";

const known = new Map();

/** Add one: a key that is pressed by itself, while nobody types. */
export function shortcut(key, does, action) {
  known.set(key, { does, action });
}

function list() {
  const rows = document.createElement("dl");
  rows.className = "facts";
  for (const [key, { does }] of known) {
    const name = document.createElement("dt");
    name.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    rows.append(name, Object.assign(document.createElement("dd"), { textContent: does }));
  }
  opened("Keyboard shortcuts", [rows], [{ label: "Close", value: "" }]);
}

shortcut("/", "Search", () => document.querySelector(".search input")?.focus());
shortcut("?", "List the shortcuts", list);

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable], dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const one = known.get(event.key);
  if (!one) return;
  event.preventDefault();
  one.action();
});
