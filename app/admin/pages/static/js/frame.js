/** What every page has: shortcuts, forms that ask before they are sent and are sent once, times as the viewer reads them. */
import { asked } from "./dialogs.js";
import { signedIn, signedInLately } from "./session.js";
import "./shortcuts.js";
import { localTimes } from "./times.js";

// What was asked, and whose session was looked at, is sent on; a form that is sent twice by a nervous finger does what it does twice.
const ready = new WeakSet();
const busy = new WeakSet();

const questionOf = (form) => form.querySelector('input[name="ask"]:not([disabled])');

async function mayGo(form, button) {
  const question = questionOf(form);
  if (question && !(await asked(question.value, button.textContent.trim()))) return false;
  if (!(await signedIn())) return false;
  if (question) question.disabled = true; // so that the server does not ask too
  return true;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented || event.submitter?.formTarget) return;
  if (form.dataset.sent) return event.preventDefault();
  if (ready.delete(form) || (!questionOf(form) && signedInLately())) {
    form.dataset.sent = "yes";
    return;
  }
  event.preventDefault();
  if (busy.has(form)) return;
  busy.add(form);
  const button = event.submitter ?? form.querySelector("button");
  try {
    if (!(await mayGo(form, button))) return;
    ready.add(form);
  } finally {
    busy.delete(form);
  }
  form.requestSubmit(button);
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const question of form.querySelectorAll('input[name="ask"]')) question.disabled = false;
  }
});

localTimes(document);
