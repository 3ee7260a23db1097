/** The overview: its last executions are followed live, and what is true now is loaded again once a minute. */
import "../live-list.js";
import { tell } from "../times.js";

const EVERY_MS = 60_000;
const stale = document.getElementById("stale");

/** The page as it is now; null where it cannot be loaded. */
async function again() {
  let answer;
  try {
    answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  } catch (error) {
    if (error instanceof TypeError) return null; // the network's: what fetch throws where nobody answers
    throw error;
  }
  return answer.ok && !answer.redirected ? answer : null;
}

setInterval(async () => {
  if (document.hidden) return;
  const answer = await again();
  stale.hidden = answer !== null;
  if (!answer) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["now", "day", "failing"]) {
    const now = document.getElementById(id);
    if (!now.contains(document.activeElement)) now.replaceWith(page.getElementById(id));
  }
  tell(document);
}, EVERY_MS);
