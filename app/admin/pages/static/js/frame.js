/** What every page has: shortcuts, forms that ask before they are sent and are sent once, times as the viewer reads them. */
import { asked } from "./dialogs.js";
import "./shortcuts.js";
import { localTimes } from "./times.js";

// A form that is sent twice by a nervous finger does what it does twice.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented || event.submitter?.formTarget) return;
  if (form.dataset.sent) return event.preventDefault();
  const question = form.querySelector('input[name="ask"]');
  if (question && !question.disabled) {
    event.preventDefault();
    const button = event.submitter ?? form.querySelector("button");
    if (!(await asked(question.value, button.textContent.trim()))) return;
    question.disabled = true; // so that the server does not ask too
    return form.requestSubmit(button);
  }
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const question of form.querySelectorAll('input[name="ask"]')) question.disabled = false;
  }
});

localTimes(document);
