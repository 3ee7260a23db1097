/** Beside every `pre[data-copy]` a button that copies it. */
import { toast } from "./toasts.js";

for (const text of document.querySelectorAll("pre[data-copy]")) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Copy", className: "copy" });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      toast("Copied");
    } catch {
      getSelection().selectAllChildren(text);
      toast("Marked: copy it with your keyboard");
    }
  });
  text.before(button);
}
