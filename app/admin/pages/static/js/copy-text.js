/** `copy-text`: a field whose text can be copied by a button, for what is shown once. */
import { toast } from "./toasts.js";

class CopyText extends HTMLElement {
  connectedCallback() {
    const field = this.querySelector("input");
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Copy" });
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(field.value);
        toast("Copied");
      } catch {
        // Without the permission, or without TLS: marked, the person copies it by hand.
        field.focus();
        field.select();
        toast("Press Ctrl+C to copy what is marked");
      }
    });
    this.append(button);
  }
}

customElements.define("copy-text", CopyText);
