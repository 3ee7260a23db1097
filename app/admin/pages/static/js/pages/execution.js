/** One execution: its JSON can be copied, and an attempt that is on its way is shown once it has ended, with a word of it. */
import { call } from "../api.js";
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
  const look = setInterval(async () => {
    if (document.hidden) return;
    if (Date.now() - began > LONGEST_MS) return clearInterval(look);
    if (await ended(coming.dataset).catch(() => false)) location.reload();
  }, EVERY_MS);
}
