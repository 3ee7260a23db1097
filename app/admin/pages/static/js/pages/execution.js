/** One execution: its JSON can be copied, and an attempt that is on its way is shown once it has ended, with a word of it. */
import { Problem, call } from "../api.js";
import "../copy-button.js";

const coming = document.querySelector("[data-attempt]");
const EVERY_MS = 2000;
const LONGEST_MS = 120_000;

async function ended({ id, attempt }) {
  const { value } = await call("GET", `/executions/${id}`);
  return value.attempt >= Number(attempt);
}

if (coming) {
  const began = Date.now();
  const words = coming.querySelector("span");
  const before = words.textContent;
  const say = (text) => words.textContent !== text && (words.textContent = text);
  const look = setInterval(async () => {
    if (document.hidden) return;
    if (Date.now() - began > LONGEST_MS) {
      say(`Attempt ${coming.dataset.attempt} has not ended yet. Below is the one before; load the page again to see whether it has.`);
      return clearInterval(look);
    }
    try {
      if (await ended(coming.dataset)) location.reload();
      else say(before);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      say(`Whether attempt ${coming.dataset.attempt} has ended could not be looked up, trying again: ${error.message}`);
    }
  }, EVERY_MS);
}
