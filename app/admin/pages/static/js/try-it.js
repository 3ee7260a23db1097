/**
 * `<try-it workflow="id">`: tries the draft on an event, without any effect; and, as a second step, runs what is live for real.
 *
 * Properties: `draft`, a function that returns the current draft as the API has it; `types`, the API's answer about action types, which
 * steps are named by. Without the attribute `workflow` nothing can be run for real.
 */
import { call } from "./api.js";
import { asked } from "./dialogs.js";
import { mistakeWords, placeWords } from "./draft-parts.js";
import { Widget, choice, make, newId } from "./dom.js";
import { readJson } from "./json-text.js";
import { labelled } from "./labelled.js";
import { said as ago } from "./times.js";
import { reached, report } from "./tried.js";

const WAYS = { recent: "A recent event", customer: "A customer's last one", sample: "A sample", pasted: "One that I paste" };
const NEWEST = 20;
const LOOKS = 10;
const ATTRIBUTES = new Set(["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "partitionkey", "causation", "workflowid", "data"]);
let me;
let looking = Promise.resolve();

/** Whether the events of the topics are for who asks, or those of their own executions alone. */
async function readsEvents() {
  me ??= call("GET", "/session").then(({ value }) => value.permissions.includes("crm:read"));
  try {
    return await me;
  } catch (error) {
    me = undefined; // it is asked again, not failed for good
    throw error;
  }
}

/** The newest events of a type, about somebody or anybody; one look after the other, for the API lets a person look at the topics once at a time. */
function recent(type, entity, limit) {
  const look = () => looked(type, entity, limit);
  looking = looking.then(look, look);
  return looking;
}

async function looked(type, entity, limit) {
  const about = `${entity ? `&entity=${encodeURIComponent(entity)}` : ""}&limit=${limit}`;
  if (await readsEvents()) {
    const { value } = await call("GET", `/events?type=${encodeURIComponent(type)}${about}`);
    const found = value.items.filter((one) => one.event).map((one) => ({ who: one.entity, at: one.received_at, trial: { event: one.event } }));
    if (found.length) return found;
  }
  // The log keeps events for longer than the topics do.
  const { value } = await call("GET", `/executions?event_type=${encodeURIComponent(type)}${about}`);
  const once = new Map(value.items.map((one) => [one.event_id, one]));
  return [...once.values()].map((one) => ({ who: one.entity, at: one.executed_at, trial: { past: { execution_id: one.id } } }));
}

/** The event that the address names, as the page of an event links here; none where it names none. */
function cameFrom() {
  const named = new URLSearchParams(location.search);
  const [source, id, since, entity] = ["source", "id", "since", "entity"].map((name) => named.get(`event_${name}`) || undefined);
  return source && id ? [{ words: `The one you came from (${id})`, trial: { past: { source, id, since, entity } } }] : [];
}

const eventWords = ({ words, who, at }) => words ?? `${who ?? "nobody in particular"}${at ? `, ${ago(Date.parse(at))}` : ""}`;

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether it is a whole event, what it leaves out to be made up, or the data of one: what says its type, or has data and nothing else that no event has. */
const isEvent = (value) => "data" in value && ("type" in value || "specversion" in value || (isObject(value.data) && Object.keys(value).every((name) => ATTRIBUTES.has(name))));

/** Thrown where what a person entered cannot be tried, with the words that are shown. */
class Refused extends Error {}

class TryIt extends Widget {
  #types = new Map();
  #found = [];
  #way = "recent";
  #known = "";
  draft = () => null;

  set types(types) {
    this.#types = new Map((types.items ?? types).map((one) => [one.type, one]));
  }

  build() {
    this.recent = choice([["", "Looking for the newest …"]], "");
    this.customer = make("input", { type: "text", autocomplete: "off", maxLength: 256 });
    this.pasted = make("textarea", { class: "code", rows: 6, spellcheck: false, placeholder: '{"customer": {"id": "c-1001"}, "order": {"total": 1200}}' });
    this.none = make("p", { class: "dim", hidden: true });
    this.ways = {
      recent: labelled("Event", this.recent, { under: this.none }), customer: labelled("Customer's id", this.customer),
      sample: { root: make("p", { class: "dim", text: "An event that is made up, complete." }), say() {} },
      pasted: labelled("The event as JSON", this.pasted, { help: "The whole event, or only its data." }),
    };
    const group = newId();
    const radios = Object.entries(WAYS).map(([way, text]) => make("label", { class: "choice" },
      make("input", { type: "radio", name: group, checked: way === this.#way, change: () => this.#turn(way) }), make("span", { text })));
    this.button = make("button", { type: "button", class: "primary", text: "Try it", click: () => this.#try() });
    this.said = make("div", { role: "alert" });
    this.report = make("div", { class: "stack", role: "region", "aria-label": "What would happen", tabIndex: -1, hidden: true });
    this.append(make("div", { class: "stack" },
      make("p", { class: "dim", text: "Nothing is sent and nothing is stored: you see what would happen." }),
      make("fieldset", { class: "stack" }, make("legend", { text: "With which event?" }), make("div", { class: "choices" }, ...radios), ...Object.values(this.ways).map(({ root }) => root)),
      make("p", {}, this.button), this.said, this.report));
    this.#turn(this.#way);
    // The newest events are read of the topics: not before somebody comes here.
    new IntersectionObserver(([one], watching) => one.isIntersecting && (watching.disconnect(), this.#look())).observe(this);
    this.addEventListener("focusin", () => this.#type !== this.#known && this.#look());
  }

  show() {}

  get #type() {
    return this.draft()?.trigger?.type ?? "";
  }

  #turn(way) {
    this.#way = way;
    for (const [name, { root, say }] of Object.entries(this.ways)) {
      root.hidden = name !== way;
      say("");
    }
  }

  /** Look which events of the trigger's type came lately. */
  async #look() {
    const type = this.#type;
    if (!type) return;
    this.#known = type;
    const named = cameFrom();
    let failed = "";
    try {
      this.#found = [...named, ...(await recent(type, "", NEWEST))];
    } catch (error) {
      if (error.status === undefined) throw error;
      this.#known = ""; // it is looked again as somebody comes back here
      this.#found = named;
      failed = `The newest events could not be looked at: ${error.message}`;
    }
    this.recent.replaceChildren(...choice(this.#found.map((one, at) => [String(at), eventWords(one)]), "0").children);
    this.recent.hidden = !this.#found.length;
    this.none.hidden = this.#found.length > 0 && !failed;
    this.none.textContent = `${failed || "No such event has come lately."} Take a sample, or paste one.`;
    this.failed = failed;
  }

  async #event(type) {
    if (this.#way === "sample") return { sample: true };
    if (this.#way === "pasted") return { event: this.#pasted() };
    if (this.#way === "recent") {
      if (!this.#found.length) throw new Refused(`${this.failed || "There is no recent event."} Take a sample, or paste one.`);
      return this.#found[this.recent.selectedIndex].trial;
    }
    const who = this.customer.value.trim();
    const [last] = who ? await recent(type, who, 1) : [];
    if (last) return last.trial;
    this.ways.customer.say(who ? `No such event of ${who} was found among the newest.` : "Enter the customer's id");
    throw new Refused("");
  }

  #pasted() {
    try {
      const value = readJson(this.pasted.value);
      if (!isObject(value)) throw new Error("This is no JSON of an event: it is no object");
      this.ways.pasted.say("");
      return isEvent(value) ? value : { data: value };
    } catch (error) {
      this.ways.pasted.say(this.pasted.value.trim() ? error.message : "Paste an event");
      this.pasted.focus();
      throw new Refused("");
    }
  }

  async #try() {
    this.button.disabled = true;
    this.said.replaceChildren();
    // What was found before is of another event, or another draft.
    this.report.hidden = true;
    this.report.replaceChildren();
    try {
      const workflow = this.draft();
      const { value } = await call("POST", "/workflows/test", { body: { workflow, ...(await this.#event(workflow.trigger.type)) } });
      this.report.replaceChildren(make("h3", { text: "What would happen" }), report(value, this.#types), ...this.#real(workflow, value));
      this.report.hidden = false;
      this.report.focus();
    } catch (error) {
      this.#refused(error);
    } finally {
      this.button.disabled = false;
    }
  }

  #refused(error) {
    if (!(error instanceof Refused) && error.status === undefined) throw error;
    if (!error.message) return;
    const wrong = [...(error.fields ?? [])].map(([path, text]) => make("li", { text: `${placeWords(path.replace(/^workflow\./, ""))}: ${mistakeWords(path.replace(/^workflow\./, ""), text)}` }));
    const words = wrong.length ? "It cannot be tried before this is put right:" : error.message;
    this.said.replaceChildren(make("div", { class: "alert" }, make("div", {}, make("p", { text: words }), wrong.length ? make("ul", { class: "wrong" }, ...wrong) : null)));
  }

  /** The second step, which is none of the trial's. */
  #real(workflow, tried) {
    const id = this.getAttribute("workflow");
    if (!id) return [];
    const { subject, data } = tried.event;
    const whom = subject ?? data?.customer?.id ?? "this event";
    const note = make("p", { role: "status" });
    const run = make("button", { type: "button", class: "danger", text: `Run for real for ${whom}`, click: () => this.#run({ id, subject, data, whom, note, tried, name: workflow.name }) });
    return [make("section", { class: "real stack" }, make("h4", { text: "For real" }),
      make("p", { text: `What is live now, not your draft, runs with the data of this event for ${whom}: messages are sent, and tags, notes and tasks are made.` }), make("p", {}, run), note)];
  }

  async #run({ id, subject, data, whom, note, tried, name }) {
    const to = reached(tried);
    if (!(await asked(`“${name}” runs for real for ${whom}${to ? `, and may reach ${to}` : ""}. It cannot be taken back.`, `Run for real for ${whom}`))) return;
    note.className = "";
    note.textContent = "It is on its way …";
    try {
      const { value } = await call("POST", `/workflows/${id}/execute`, { body: { data: data ?? {}, ...(subject ? { subject } : {}) } });
      await this.#follow(value, note);
    } catch (error) {
      if (error.status === undefined) throw error;
      note.className = "said-bad";
      note.textContent = [error.message, ...error.fields.values()].join(" ");
    }
  }

  /** Look for the row of a run until it is there, and lead to it. */
  async #follow({ execution_id: id, event_id: event }, note) {
    for (let look = 0; look < LOOKS; look += 1) {
      const { value } = await call("GET", `/executions?event_id=${encodeURIComponent(event)}&limit=1`);
      if (value.items.length) return note.replaceChildren("It ran. ", make("a", { href: `/executions/${id}`, text: "See what happened" }));
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    note.replaceChildren("It has started, and waits or takes a while. ", make("a", { href: `/executions?event_id=${encodeURIComponent(event)}`, text: "Look for it among the executions" }));
  }
}

customElements.define("try-it", TryIt);
