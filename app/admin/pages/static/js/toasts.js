/** Short notices in the corner, which are read out: what was done, and for ten seconds how to undo it. */

const LASTS_MS = 10_000;

/** Say something; `undo` is called where the person wants it back. */
export function toast(text, undo) {
  const one = document.createElement("div");
  one.className = "toast";
  one.append(Object.assign(document.createElement("span"), { textContent: text }));
  const gone = setTimeout(() => one.remove(), LASTS_MS);
  if (undo) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Undo", className: "quiet" });
    button.addEventListener("click", () => {
      clearTimeout(gone);
      one.remove();
      undo();
    });
    one.append(button);
  }
  document.querySelector(".toasts").append(one);
}
