/** The overview: its last executions are followed live, and what is true now is loaded again once a minute. */
import "../live-list.js";
import { tell } from "../times.js";

const EVERY_MS = 60_000;

setInterval(async () => {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["now", "day", "failing"]) {
    const now = document.getElementById(id);
    if (!now.contains(document.activeElement)) now.replaceWith(page.getElementById(id));
  }
  tell(document);
}, EVERY_MS);
