/** Conditions in words: the operators as a person says them, and whole lists as one sentence (`condition_words.py` says the same). */
import { spoken } from "./event-fields.js";
import { OPERATORS, UNITS } from "./operators.js";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
const MOST = 90;
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const FIRST = 20;
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const only = (value, key) => isObject(value) && Object.keys(value).length === 1 && key in value;

/** The kind of a value, as operators have it; `json` is what only stands for itself. */
export function kindOf(value, operator) {
  if (value === null) return "none";
  if (value === undefined) return operator === "in" || operator === "not_in" ? "list" : "one";
  if (Array.isArray(value)) return value.some((one) => typeof one === "object") ? "json" : "list";
  if (only(value, "now") && /^[-+]?\d+[smhdw]$/.test(value.now)) return "now";
  if (only(value, "today") && (value.today === true || /^[-+]?\d+d$/.test(value.today))) return "today";
  if (isObject(value)) return "json";
  return typeof value === "string" && TIME.test(value) && "<>".includes(operator?.[0] ?? "=") ? "time" : "one";
}

const signOf = (kind, value) => {
  const text = kind === "now" ? value.now : value.today === true ? "0d" : value.today;
  return kind === "today" && Number.parseInt(text, 10) === 0 ? "" : text.startsWith("-") ? "-" : "+";
};

/** The operator of a condition, as a person says it of a type of fields; of one that they cannot choose, its own sign with the value as JSON. */
export function operatorOf({ operator, value }, type) {
  if (value === undefined && type) {
    const meant = OPERATORS.find((one) => one.operator === operator && one.sign === undefined && one.fits.includes(type));
    if (meant) return meant;
  }
  const kind = kindOf(value, operator);
  const fitting = (one) => one.kind === kind && (!one.sign && one.sign !== "" ? true : one.sign === signOf(kind, value));
  const same = operator === ">" && kind === "now" && signOf(kind, value) === "-" ? ">=" : operator;
  const found = OPERATORS.find((one) => one.operator === same && fitting(one));
  if (found) return found;
  const plain = OPERATORS.find((one) => one.operator === operator);
  return { id: "json", words: plain?.words ?? String(operator ?? "…"), operator, kind: "json", fits: [] };
}

/** How many of what: `-90d` is 90 days. */
export function distance(text) {
  const amount = Number.parseInt(text.replace(/^[-+]/, ""), 10);
  return `${amount} ${UNITS[text.at(-1)]}${amount === 1 ? "" : "s"}`;
}

/** A text as a sentence has room for it; what turns a line around, or is not seen, as a mark. */
function short(text) {
  const letters = [...text.slice(0, 2 * MOST + 2)];
  return (letters.length > MOST ? `${letters.slice(0, MOST).join("")}…` : text).replaceAll(UNSEEN, "\ufffd");
}

/** A value as it is said. */
export function valueWords(value) {
  if (value === undefined || value === "") return "…";
  if (value === null) return "nothing";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return value.toLocaleString("en-US", { maximumFractionDigits: 15 });
  if (typeof value === "string") return `“${short(value)}”`;
  if (only(value, "json")) return short(JSON.stringify(value.json) ?? "…");
  return short(JSON.stringify(value));
}

function listWords(values) {
  if (!values?.length) return "…";
  const said = values.slice(0, FIRST).map(valueWords);
  if (values.length > FIRST + 1) return `${said.join(", ")} or ${values.length - FIRST} more`;
  said.push(...values.slice(FIRST).map(valueWords));
  return said.length === 1 ? said[0] : `${said.slice(0, -1).join(", ")} or ${said.at(-1)}`;
}

/** One condition, as it is said. */
export function leafWords(leaf) {
  const how = operatorOf(leaf);
  const start = `${leaf.field ? spoken(leaf.field) : "…"} ${how.words}`;
  if (how.kind === "none" || how.id === "today") return start;
  if (how.kind === "list") return `${start} ${listWords(leaf.value)}`;
  if (how.kind === "now") return `${start} ${distance(leaf.value.now)}`;
  if (how.kind === "today") return `${start} ${Math.abs(Number.parseInt(leaf.value.today, 10))}`;
  if (how.kind === "time") return `${start} ${leaf.value.replace("T", " ").replace(/:00(\.0+)?(?=Z|$)/, "").replace("Z", " UTC")}`;
  return `${start} ${valueWords(leaf.value)}`;
}

/** What kind of group an object is, and its members: `not` of `any` is "none of". */
export function groupOf(item) {
  if ("all" in item) return { kind: "all", members: item.all };
  if ("any" in item) return { kind: "any", members: item.any };
  const inner = item.not;
  if (isObject(inner) && Array.isArray(inner.any)) return { kind: "none", members: inner.any };
  if (isObject(inner) && Array.isArray(inner.all)) return { kind: "some", members: inner.all };
  return Array.isArray(inner) ? { kind: "not", members: inner } : { kind: "none", members: [inner], single: true };
}

export const isGroup = (item) => isObject(item) && ("all" in item || "any" in item || "not" in item);

/** A list joined by each one's own `logic`: and binds tighter than or. */
function joined(items) {
  const runs = [[]];
  items.forEach((item, at) => {
    runs.at(-1).push(itemWords(item));
    if (item?.logic === "OR" && at + 1 < items.length) runs.push([]);
  });
  return runs.map((run) => (run.length > 1 && runs.length > 1 ? `(${run.join(" and ")})` : run.join(" and "))).join(" or ");
}

function itemWords(item) {
  if (!isObject(item)) return valueWords(item);
  if (!isGroup(item)) return leafWords(item);
  const { kind, members } = groupOf(item);
  if (!Array.isArray(members)) return "…";
  if (kind === "not") return `not (${joined(members)})`;
  const words = members.map(itemWords);
  if (kind === "none") return `none of (${words.join(", ")})`;
  if (kind === "some") return `not all of (${words.join(", ")})`;
  if (!words.length) return kind === "all" ? "anything" : "nothing at all";
  return words.length === 1 ? words[0] : `(${words.join(kind === "all" ? " and " : " or ")})`;
}

/** A list of conditions in words; empty where there are none. */
export const conditionWords = (conditions) => joined(conditions ?? []);
