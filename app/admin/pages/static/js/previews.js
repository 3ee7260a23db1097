/**
 * What texts become for an event, by the API's own test mode: nothing is sent, and nothing is stored.
 *
 * Texts that are asked for within a moment go in one call: each is a step of its own of a workflow that is only tried.
 */
import { call } from "./api.js";
import { errorWords, unfilledWords } from "./error-words.js";

const PAUSE_MS = 500;
const TO = ["preview@example.com"];
const PLACE = /^workflow\.actions\[(\d+)\]/;
const asked = new Map();
let timer;

function tried(sample, configs, signal) {
  const { workflowid, causation, ...event } = sample;
  // Schedules ask for more than their type, and nobody looks at it here.
  if (event.type.startsWith("temporal.")) event.type = "custom.preview";
  const actions = configs.map((config, at) => ({ type: "send_email", order: at, config: { ...config, to: TO, cc: [], bcc: [], reply_to: "" } }));
  return call("POST", "/workflows/test", { body: { workflow: { name: "Preview", trigger: { type: event.type }, actions }, event }, signal });
}

const inWords = (said) => unfilledWords(String(said ?? "It cannot be filled in"));

/**
 * Show an e-mail as it would be sent.
 *
 * @param {object} config Of `send_email`; to whom it goes does not matter.
 * @throws {Error} It would not be; in words.
 */
export async function previewedEmail(config, sample, signal) {
  const words = { subject: "(no subject yet)", ...config };
  if (words.template) for (const name of ["subject", "text", "html"]) delete words[name];
  const { value } = await tried(sample, [words], signal).catch((problem) => {
    if (problem.name === "AbortError") throw problem;
    const said = [...(problem.fields ?? [])].map(([path, text]) => errorWords("send_email", `${path.replace(/^.*\.config\.?/, "")}: ${text}`));
    throw new Error(said.join("; ") || problem.message);
  });
  const [step] = value.steps;
  if (step.status === "failed") throw new Error(errorWords("send_email", step.error));
  return step.would_send;
}

/** Stop telling an element of what it asked. */
export const unpreview = (who) => asked.delete(who);

/**
 * Tell what a text becomes; whoever asks again is told of the newest alone.
 *
 * @param {object} who Who asks.
 * @param {{source: string, html: boolean, sample: object, tell: function({text?: string, wrong?: string}): void}} what
 */
export function preview(who, what) {
  asked.set(who, what);
  clearTimeout(timer);
  timer = setTimeout(send, PAUSE_MS);
}

async function send() {
  const waiting = [...asked].filter(([, one]) => !one.sent);
  for (const [, one] of waiting) one.sent = true;
  for (const part of Map.groupBy(waiting, ([, one]) => one.sample).values()) {
    for (let at = 0; at < part.length; at += 50) await answer(part.slice(at, at + 50));
  }
}

async function answer(part) {
  const told = (who, what, said) => asked.get(who) === what && what.tell(said);
  const configs = part.map(([, { source, html }]) => ({ subject: "-", [html ? "html" : "text"]: source }));
  try {
    const { value } = await tried(part[0][1].sample, configs);
    part.forEach(([who, what], at) => {
      const step = value.steps[at];
      if (step.status === "failed") told(who, what, { wrong: inWords(step.error) });
      else told(who, what, { text: what.html ? step.would_send.html : step.would_send.text });
    });
  } catch (problem) {
    const bad = new Map([...(problem.fields ?? [])].map(([path, text]) => [Number(PLACE.exec(path)?.[1] ?? -1), text]));
    part.forEach(([who, what], at) => (bad.has(at) || !bad.size || bad.has(-1)) && told(who, what, { wrong: inWords(bad.get(at) ?? problem.message) }));
    const rest = part.filter((_, at) => !bad.has(at));
    if (bad.size && !bad.has(-1) && rest.length) await answer(rest);
  }
}
