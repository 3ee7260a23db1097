/** The parts of a workflow as a person reads them: their names, whether two are the same, and each in words. */
import { conditionWords } from "./condition-words.js";

export const PARTS = [["name", "Name"], ["description", "Description"], ["trigger", "When"], ["conditions", "If"], ["actions", "Do"], ["reentry", "How often"], ["priority", "Priority"]];
const DEFAULTS = { description: "", priority: 5, reentry: "always", conditions: [], trigger: {}, actions: [] };

/** A value with its keys in one order, as text. */
const canonical = (value) => JSON.stringify(value, (_, one) => (one && typeof one === "object" && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).sort()) : one));

const part = (body, name) => body[name] ?? DEFAULTS[name] ?? "";

/** Whether a part is the same in two states. */
export const samePart = (name, one, other) => canonical(part(one, name)) === canonical(part(other, name));

/** What an action is, in a line. */
export function actionLine(action, at) {
  const type = String(action.type ?? "").replace(/_/g, " ");
  const texts = Object.values(action.config ?? {}).map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
  return `${at + 1}. ${type}${texts.length ? `: ${texts.join(", ").slice(0, 120)}` : ""}`;
}

/** A part in words, a line each. */
export function partWords(name, body) {
  const value = part(body, name);
  if (name === "conditions") return [conditionWords(value) || "for every event"];
  if (name === "actions") return value.map(actionLine);
  if (name === "trigger") return [[value.type, ...Object.entries(value.config ?? {}).map(([key, one]) => `${key} ${JSON.stringify(one)}`)].join(", ")];
  return [typeof value === "object" ? JSON.stringify(value) : String(value)];
}

// What the API says, as a person would.
const FRIENDLY = [
  [/^name$/, /at least 1|match/, "Give it a name"],
  [/^actions$/, /at least 1/, "Add at least one step"],
  [/\.subject$/, /is needed, or a template/, "Write a subject, or use a message template"],
  [/\.text$/, /is needed, or a template/, "Write a text, or use a message template"],
  [/\.duration$/, /is needed/, "Say how long it waits, or until when"],
  [/^actions.*\.config\./, /^is missing$/, "Fill this in"],
  [/^actions.*\.config\./, /unexpected end of template/, "A {{ or {% has no end yet"],
  [/^reentry/, /once per/, "Say for how long, such as 7 days"],
  [/^trigger\.config\.at$/, /./, "Enter a time, such as 09:00"],
  [/^trigger\.config\.days$/, /./, "Choose at least one day"],
  [/^trigger\.config\.day$/, /./, "Enter a day from 1 to 31"],
  [/^trigger\.config\.timezone$/, /./, "Choose a time zone, such as Europe/Berlin"],
  [/\.field$/, /must name a field/, "Choose a field"],
  [/\.field$/, /before, between and after its dots/, "Write something before, between and after its dots"],
  [/\.(all|any|not)$/, /at least one condition/, "Choose a condition for the group, or remove it"],
  [/\.value$/, /is missing/, "Enter a value"],
  [/\.value$/, /distance from now/, "Enter a number"],
];

/** Say a mistake as a person would, where the API says it otherwise. */
export const mistakeWords = (path, message) => FRIENDLY.find(([where, what]) => where.test(path) && what.test(message))?.[2] ?? message;

// What is only not there yet: nobody has done anything wrong.
const MISSING = /^(Give it|Add at least|Write a|Say |Fill |Choose a field|Choose at least|Enter a value)|^is missing$|is needed/;

const READ = ["name", "trigger", "conditions", "actions", "reentry", "priority", "description"];

/** A mistake at a path of the API; `missing` tells what is only to be done yet. */
export const asMistake = (path, message) => ({ path, message, missing: MISSING.test(message) });

/** The mistakes of a draft in the order in which the page is read, each in words. */
export function mistakes(problems) {
  const order = ({ path }) => (READ.indexOf(/^\w*/.exec(path)[0]) + READ.length + 1) % (READ.length + 1);
  const said = new Map(problems.map((one) => [one.path, asMistake(one.path, mistakeWords(one.path, one.message))]));
  return [...said.values()].sort((one, other) => order(one) - order(other));
}

/** Say where a path of the API leads, as the page is read. */
export function placeWords(path) {
  const [, name, at, rest] = /^(\w*)(?:\[(\d+)\])?\.?(.*)$/.exec(path) ?? [];
  const known = PARTS.find(([one]) => one === name)?.[1] ?? "The whole";
  if (name === "conditions" && at) return `${known}, condition ${Number(at) + 1}`;
  if (name === "actions" && at) return `${known}, step ${Number(at) + 1}${rest ? `, ${rest.replace(/^config\./, "").replace(/\[\d+\]$/, "").replace(/[._]/g, " ")}` : ""}`;
  return known;
}
