/** What a trial came to: every condition with what it saw, every step with what it would send, and what would not happen and why. */
import { leafWords, valueWords } from "./condition-words.js";
import { icon, make } from "./dom.js";
import { errorWords } from "./error-words.js";
import "./email-preview.js";

const GROUPS = { all: "All of the group", any: "At least one of the group", not: "None of the group" };
const KINDS = { email: "to", phone: "to", whatsapp: "to", channel: "to the channel", inbox: "to the inbox of", url: "to" };
// Ids that we make, and what only the sender knows.
const LEFT_OUT = new Set(["message_id", "sender", "origin", "note_id", "task_id", "appointment_id", "on_uncertain", "secret", "hosts", "redirects", "sign_with", "timeout_s"]);
const TONES = { runs: ["good", "yes", "Would happen"], skipped: ["plain", "skip", "Would not happen"], failed: ["bad", "no", "Would fail"] };

/** One condition: a tick or a cross, what it asks, what it saw. */
function verdict({ path, operator, expected, actual, met, reason }) {
  const group = GROUPS[operator];
  const asks = group ?? leafWords({ field: path, operator, value: expected });
  const saw = group ? "" : actual === null || actual === undefined ? `: ${reason}` : `: it is ${valueWords(actual)}`;
  const known = make("span", { class: "visually-hidden", text: met ? "Met: " : "Not met: " });
  return make("li", { class: `verdict ${met ? "met" : "unmet"}` }, icon(met ? "yes" : "no"), make("span", {}, known, asks, make("span", { class: "dim", text: saw })));
}

/** Conditions, as a list. */
const verdicts = (all) => make("ul", { class: "verdicts" }, ...all.map(verdict));

function pill([tone, image, text]) {
  return make("span", { class: `status ${tone}` }, icon(image), text);
}

const shown = (value) => (typeof value === "string" ? value : Array.isArray(value) && value.every((one) => typeof one !== "object") ? value.join(", ") : JSON.stringify(value, null, 2));

function facts(request) {
  const flat = { ...request, ...request.http, ...request.content };
  for (const name of ["http", "content"]) delete flat[name];
  const rows = Object.entries(flat).filter(([name, value]) => !LEFT_OUT.has(name) && value !== null && value !== "" && !(typeof value === "object" && !Object.keys(value).length));
  if (!rows.length) return null;
  const one = ([name, value]) => {
    const text = shown(value);
    return [make("dt", { text: name.replaceAll("_", " ") }), make("dd", {}, make(typeof value === "string" && !text.includes("\n") ? "span" : "pre", { text }))];
  };
  return make("dl", { class: "facts" }, ...rows.flatMap(one));
}

function content(step) {
  const sent = step.would_send;
  if (!sent) return null;
  if (step.type !== "send_email") return facts(sent);
  return Object.assign(document.createElement("email-preview"), { sent });
}

function told(step, types) {
  const state = !step.runs ? "skipped" : step.status === "failed" ? "failed" : "runs";
  const title = types.get(step.type)?.config_schema.title ?? step.type;
  const to = step.goes_to.map((one) => `${KINDS[one.kind]} ${one.address}${one.service ? ` (${one.service})` : ""}`).join(", ");
  const reach = step.reach && step.reach.verdict !== "public" ? step.reach.why : "";
  const why = (step.error && errorWords(step.type, step.error)) ?? (state === "skipped" ? "its own conditions are not met" : "");
  const held = step.verdicts.length ? verdicts(step.verdicts) : null;
  return make("li", {},
    make("h5", {}, `Step ${step.step + 1}: ${title} `, pill(TONES[state])),
    why ? make("p", { class: state === "failed" ? "said-bad" : "dim", text: sentence(why) }) : null,
    to ? make("p", { text: `${state === "runs" ? "Goes" : "Would go"} ${to}` }) : null, reach && reach !== step.error ? make("p", { class: "dim small", text: sentence(reach) }) : null, held, content(step));
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** What it comes to, in a sentence: the log's own words are of what has happened. */
function headline({ matched, status, explanation, steps }) {
  if (!matched || status === "skipped" || status === "blocked") return explanation.replace(/^(Did|Would) not run/, "It would not run");
  const runs = steps.filter((step) => step.runs);
  const failed = runs.filter((step) => step.status === "failed").length;
  return `It would run: ${runs.length - failed} of ${steps.length} ${steps.length === 1 ? "step" : "steps"} would happen${failed ? `, and ${failed} would fail` : ""}.`;
}

/**
 * Show a trial.
 *
 * @param {object} tried The API's answer.
 * @param {Map<string, object>} types The action types, by name.
 */
export function report(tried, types) {
  const { entry } = tried;
  const again = entry ? make("p", { class: "dim", text: entry.error ?? `It runs ${entry.how_often} for ${entry.value}. Whether it has run before is not looked at here.` }) : null;
  const turned = tried.matched ? null : make("p", { class: "notice" }, icon("warn"), "This event is none that its trigger asks for. Below is what would happen if it were.");
  return make("div", { class: "stack" },
    make("p", { class: "why", text: headline(tried) }), turned,
    make("h4", { text: "The conditions" }), tried.verdicts.length ? verdicts(tried.verdicts) : make("p", { class: "dim", text: "It has none: it runs for every event of its trigger." }), again,
    make("h4", { text: "The steps" }), make("ol", { class: "timeline" }, ...tried.steps.map((step) => told(step, types))),
    make("details", {}, make("summary", { text: "The event" }), make("pre", { text: JSON.stringify(tried.event, null, 2) })));
}

/** Whom or what the steps that would happen reach, in words. */
export function reached(tried) {
  const found = new Set(tried.steps.filter((step) => step.runs && step.status !== "failed").flatMap((step) => step.goes_to.map((one) => one.address)));
  return [...found].join(", ");
}
