/** Dialogs: the browser's own `dialog`, which keeps the focus and closes by Escape. */

let count = 0;

/**
 * Open a dialog.
 *
 * @param {string} title
 * @param {Node[]} content
 * @param {Array<{label: string, value: string, kind?: string}>} buttons The first is the one that does nothing.
 * @returns {Promise<string>} The value of the button; empty where it was closed.
 */
export function opened(title, content, buttons) {
  const dialog = document.createElement("dialog");
  const heading = Object.assign(document.createElement("h2"), { textContent: title, id: `dialog-${++count}` });
  dialog.setAttribute("aria-labelledby", heading.id);
  const form = Object.assign(document.createElement("form"), { method: "dialog", className: "stack" });
  const row = Object.assign(document.createElement("p"), { className: "row end" });
  row.append(
    ...buttons.map(({ label, value, kind = "" }) => Object.assign(document.createElement("button"), { textContent: label, value, className: kind })),
  );
  form.append(heading, ...content, row);
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    }),
  );
}

/** Ask before something is done; says whether it is to be. `label` names what is done. */
export async function asked(text, label) {
  const said = Object.assign(document.createElement("p"), { textContent: text });
  const buttons = [{ label: "Leave it", value: "" }, { label, value: "yes", kind: "danger" }];
  return (await opened("Are you sure?", [said], buttons)) === "yes";
}
