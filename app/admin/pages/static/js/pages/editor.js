/** The editor: one draft, kept in one place, which the elements show and change; what is typed is drawn again only where it was typed. */
import "../action-list.js";
import "../condition-builder.js";
import "../reentry-picker.js";
import "../trigger-picker.js";
import "../try-it.js";
import { call, Problem } from "../api.js";
import { chosenOf, theirs } from "../draft-conflict.js";
import { DraftKeeper } from "../draft-keeper.js";
import { asMistake, mistakes, placeWords } from "../draft-parts.js";
import { fieldsOf } from "../event-fields.js";
import { complain, make } from "../dom.js";
import { onceDrawn } from "../once.js";
import { overwritten, previewed } from "../publish-dialog.js";
import { showState } from "../state-line.js";
import { said as ago } from "../times.js";
import { toast } from "../toasts.js";

const at = (id) => document.getElementById(id);
const data = JSON.parse(at("editor-data").textContent);
const put = (id, text) => at(id).textContent !== text && (at(id).textContent = text);
const path = `/workflows/${data.id}`;
const ELEMENTS = { trigger: at("trigger"), conditions: at("conditions"), actions: at("actions"), reentry: at("reentry") };
const TEXTS = { name: at("name"), description: at("description"), priority: at("priority") };
const state = { me: data.me, people: data.people, live: data.live, body: structuredClone(data.draft?.workflow ?? data.body), read: data.draft?.workflow ?? data.body, problems: [], refused: null, asked: false, type: null, looked: "", gone: false };

const keeper = new DraftKeeper(path, data.draft, { collect, told: onceDrawn(render), conflict: settle });

const touched = new Set();

/** The draft as it is now, exactly as the API has it. */
function collect() {
  for (const name of touched) state.body[name] = ELEMENTS[name].value;
  touched.clear();
  return structuredClone(state.body);
}

function render() {
  showState(at("state-line"), keeper, state);
  const differs = Boolean(keeper.draft) || keeper.unsaved;
  if (keeper.failed !== state.looked) {
    state.looked = keeper.failed;
    if (keeper.failed) isThere().catch(said);
    else state.gone = false;
  }
  at("gone").hidden = !state.gone;
  at("publish").disabled = state.gone || (!differs && state.live.active);
  at("discard").disabled = state.gone || !differs;
  for (const one of document.querySelectorAll(".switch-one button")) one.disabled = state.gone;
  at("look").hidden = !keeper.stopped;
  const announced = keeper.failed ? "Not saved" : keeper.unsaved || !keeper.draft ? "" : "Saved";
  if (at("announced").textContent !== announced) at("announced").textContent = announced;
  if (keeper.draft && keeper.draft.problems !== state.problems) {
    state.read = keeper.draft.workflow;
    state.problems = keeper.draft.problems;
    state.refused = null;
  }
  if (keeper.refused === state.refused) return;
  state.refused = keeper.refused;
  tell();
}

/** Look whether the workflow is still there, where something of it failed. */
async function isThere() {
  try {
    await call("GET", path);
    state.gone = false;
  } catch (error) {
    // Whatever else is the matter has been said.
    if (!(error instanceof Problem)) throw error;
    if (error.status === 404) state.gone = true;
  }
  render();
}

/** Say what keeps the draft from being published, as the API and the elements see it. */
function tell() {
  const own = ELEMENTS.conditions.mistakes.map(([inner, message]) => ({ ...asMistake(`conditions${inner}`, message), own: true }));
  say([...own, ...mistakes([...state.problems, ...keeper.refused])], keeper.draft?.hints ?? []);
  return own;
}

const links = (problems) => problems.map((one) => make("li", {}, make("button", { type: "button", class: "quiet", text: placeWords(one.path), click: () => reveal(one.path) }), `: ${one.message}`));

/** Say what is wrong: at each field, and on top with a way to it. What is only not written yet is no mistake until somebody wants to publish it. */
function say(found, hints) {
  const problems = found.filter((one) => state.asked || !one.missing);
  const todo = found.filter((one) => !problems.includes(one));
  const below = new Map(Object.keys(ELEMENTS).map((name) => [name, new Map()]));
  const rest = new Map();
  for (const { path: where, message } of problems.filter((one) => !one.own)) {
    const [, name, inner] = /^(\w*)\.?(.*)$/.exec(where);
    if (below.has(name)) below.get(name).set(inner, message);
    else rest.set(name, message);
  }
  for (const [name, element] of Object.entries(ELEMENTS)) element.wrong = below.get(name);
  for (const [name, input] of Object.entries(TEXTS)) complain(input, at(`${name}-wrong`), rest.get(name) ?? "");
  if (rest.has("name")) rename(true);
  at("problems").hidden = !problems.length;
  put("problems-count", problems.length === 1 ? "One thing keeps this from being published" : `${problems.length} things keep this from being published`);
  at("problems-list").replaceChildren(...links(problems));
  at("todo").hidden = !todo.length;
  put("todo-count", `Still to do before it can be published: ${todo.length === 1 ? todo[0].message.replace(/^[A-Z]/, (letter) => letter.toLowerCase()) : `${todo.length} things`}`);
  at("todo-list").replaceChildren(...links(todo));
  at("hints").replaceChildren(...hints.map((text) => make("li", { text })));
  at("hints").hidden = !hints.length;
}

/** Lead to a field. */
function reveal(where) {
  const [, name, inner] = /^(\w*)\.?(.*)$/.exec(where);
  const element = ELEMENTS[name];
  if (element?.reveal) element.reveal(inner);
  else if (element) (element.querySelector('[aria-invalid="true"]') ?? element).focus();
  else {
    if (name === "name") rename(true);
    at("settings").open = true;
    (TEXTS[name] ?? at("main")).focus();
  }
}

/** Show a whole draft in all of its elements. */
function load(body) {
  state.body = structuredClone(body);
  touched.clear();
  for (const [name, element] of Object.entries(ELEMENTS)) element.value = body[name];
  for (const [name, input] of Object.entries(TEXTS)) input.value = body[name] ?? "";
  at("title").textContent = body.name || "Without a name";
}

/** What is known of a type of events; null where nothing is. */
async function known(type) {
  try {
    return (await call("GET", `/event-types/${encodeURIComponent(type)}`)).value;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status !== 404) toast(`What events of “${type}” hold could not be looked up: ${error.message} You can write the names of fields yourself.`);
    return null;
  }
}

/** Tell the elements what events of the chosen type hold. */
async function learn(type) {
  state.type = type;
  const found = type ? await known(type) : null;
  if (state.type !== type) return;
  const fields = fieldsOf(found);
  for (const element of Object.values(ELEMENTS)) element.fields = fields;
  ELEMENTS.actions.sample = found?.seen?.samples?.[0]?.event ?? found?.sample ?? null;
}

function rename(open) {
  at("rename").hidden = open;
  at("title-edited").hidden = !open;
  if (!open) at("title").textContent = TEXTS.name.value || "Without a name";
}

async function settle() {
  try {
    const other = await theirs(path);
    const mine = collect();
    const chosen = await chosenOf(mine, state.read, other);
    if (!chosen) return;
    keeper.read(other.draft, other.number);
    state.read = other.body;
    load(chosen);
    keeper.touched();
    await keeper.save();
    toast("Saved what you chose.", () => {
      load(mine);
      keeper.touched();
    });
  } catch (error) {
    said(error);
  }
}

function said(error) {
  if (!(error instanceof Problem)) throw error;
  if (error.status === 404) isThere();
  toast([error.message, ...error.fields.values()].join(": "));
}

async function publish() {
  const saved = await keeper.save();
  render();
  if (!saved) return toast("It is not saved yet, so it cannot be published.");
  if (!keeper.draft) return state.live.ever ? switchOn() : toast("There is nothing to publish yet: write what it does first.");
  state.asked = true;
  const [own] = tell();
  if (own) {
    reveal(own.path);
    return toast(`It would never run as it is. ${placeWords(own.path)}: ${own.message}`);
  }
  const answer = await previewed(path, state.live, reveal);
  if (!answer) return undefined;
  let { value } = await published("");
  value ??= (await overwritten(path, keeper.draft.based_on, (await call("GET", path)).value.version)) ? (await published("?overwrite=true")).value : null;
  if (!value) return undefined;
  return answer === "on" ? switchOn().catch(() => left("half")) : left("published");
}

/** Publish; without a value where a newer version is in the way. */
async function published(query) {
  try {
    return await call("POST", `${path}/publish${query}`, { version: keeper.number });
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 409 || error.fields.size || query) throw error;
    return { value: null };
  }
}

async function switchOn() {
  await call("POST", `${path}/activate`);
  left("on");
}

const left = (did) => location.assign(`${location.pathname}?did=${did}`);

async function discard() {
  const before = collect();
  await keeper.discard();
  load(data.body);
  state.read = data.body;
  state.problems = [];
  state.asked = false;
  say([], []);
  render();
  toast("The draft is discarded.", () => {
    load(before);
    keeper.touched();
  });
}

for (const [name, element] of Object.entries(ELEMENTS)) {
  element.addEventListener("edited", () => {
    touched.add(name);
    keeper.touched();
    if (name === "trigger" && element.value.type !== state.type) learn(element.value.type);
  });
}
for (const [name, input] of Object.entries(TEXTS)) {
  input.addEventListener("input", () => {
    state.body[name] = name === "priority" ? Number(input.value) : input.value;
    keeper.touched();
  });
}
at("rename").addEventListener("click", () => {
  rename(true);
  TEXTS.name.select();
});
TEXTS.name.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" && event.key !== "Escape") return;
  rename(!TEXTS.name.value.trim());
  at("rename").focus();
});
TEXTS.name.addEventListener("blur", () => rename(!TEXTS.name.value.trim()));
at("publish").addEventListener("click", () => publish().catch(said));
at("discard").addEventListener("click", () => discard().catch(said));
at("look").addEventListener("click", () => settle());
at("back").addEventListener("click", async () => {
  await isThere();
  if (state.gone) return toast("It is still deleted.");
  return keeper.save();
});
addEventListener("beforeunload", (event) => {
  if (keeper.unsaved) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) keeper.save();
});

ELEMENTS.trigger.types = data.types;
ELEMENTS.trigger.customers = data.customers;
ELEMENTS.actions.types = data.action_types;
load(state.body);
render();
for (const one of document.querySelectorAll(".editing, .reading")) one.hidden = one.matches(".reading");
setInterval(() => {
  for (const one of at("state-line").querySelectorAll("time")) one.textContent = ago(new Date(one.dateTime));
}, 5000);
learn(state.body.trigger?.type ?? "");
Object.assign(document.querySelector("try-it"), { draft: collect, types: data.action_types });
