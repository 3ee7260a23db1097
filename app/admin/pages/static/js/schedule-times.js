/** When a daily, weekly or monthly schedule is due, as the scheduler has it: a time that the clocks skip is the next minute there is, of two the first. */
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MINUTE = 60_000;
const DAY = 86_400_000;

/** What the clocks of a zone show at an instant, as if it were UTC. */
function local(at, zone) {
  const parts = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" }).formatToParts(at);
  const of = (type) => Number(parts.find((one) => one.type === type).value);
  return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
}

function instant(wanted, zone) {
  const offset = (at) => local(at, zone) - at;
  const [before, after] = [offset(wanted - DAY), offset(wanted + DAY)];
  const candidates = [wanted - before, wanted - after].sort((a, b) => a - b);
  const exact = candidates.find((at) => local(at, zone) === wanted);
  if (exact !== undefined) return exact;
  let [low, high] = candidates;
  while (high - low > MINUTE) {
    const middle = low + Math.floor((high - low) / MINUTE / 2) * MINUTE;
    if (offset(middle) === after) high = middle;
    else low = middle;
  }
  return high;
}

function runsOn(day, type, config) {
  if (type === "temporal.weekly") return (config.days ?? []).includes(DAYS[day.getUTCDay()]);
  if (type !== "temporal.monthly") return true;
  const last = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();
  return day.getUTCDate() === Math.min(config.day, last);
}

/** The next due times of a schedule after `from`, as Dates; none where it is not complete yet. */
export function nextDues(type, config, from = Date.now(), wanted = 3) {
  const zone = config.timezone || "UTC";
  const clock = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(config.at ?? "");
  const found = [];
  try {
    const today = Math.floor(local(from, zone) / DAY) * DAY;
    for (let day = today - DAY; clock && found.length < wanted && day < today + 400 * DAY; day += DAY) {
      if (!runsOn(new Date(day), type, config)) continue;
      const at = instant(day + (Number(clock[1]) * 60 + Number(clock[2])) * MINUTE, zone);
      if (at > from) found.push(new Date(at));
    }
  } catch {
    return [];
  }
  return found;
}
