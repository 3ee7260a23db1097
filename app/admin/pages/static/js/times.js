/** Times in the viewer's zone and language: how long ago within a day, else the date; the exact one with UTC on hover and focus. */
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const STEPS = [["hour", 3600], ["minute", 60], ["second", 1]];
// What has just happened may be ahead of the clock of who looks: clocks differ by that much.
const CLOCKS = 5;

/** Say a time as a person does. */
export function said(at, now = Date.now()) {
  const seconds = (at - now) / 1000;
  if (Math.abs(seconds) >= 86400) return dates.format(at);
  if (seconds > 0 && seconds < CLOCKS) return relative.format(0, "second");
  const [unit, length] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? STEPS[2];
  return relative.format(Math.trunc(seconds / length), unit);
}

/** Say every `<time>` below an element so. */
export function tell(root) {
  for (const one of root.querySelectorAll("time[datetime]")) {
    const at = new Date(one.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const text = "exact" in one.dataset ? exact.format(at) : said(at);
    if (one.textContent !== text) one.textContent = text;
    one.title ||= `${exact.format(at)} (${at.toISOString().replace("T", " ").replace(/\.\d+Z/, "")} UTC)`;
  }
}

/** Say them so, and go on doing it. */
export function localTimes(root) {
  tell(root);
  setInterval(() => tell(root), 30_000);
}
