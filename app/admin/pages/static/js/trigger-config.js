/** What a trigger asks for beside its type: a tag, which fields changed, or when a schedule is due and for whom. */
import "./condition-builder.js";
import { choice, complain, make, newId, place } from "./dom.js";
import { nextDues } from "./schedule-times.js";

const DAYS = { mon: "Monday", tue: "Tuesday", wed: "Wednesday", thu: "Thursday", fri: "Friday", sat: "Saturday", sun: "Sunday" };

const said = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
let zones;

function zoneList() {
  zones ??= make("datalist", { id: newId() }, ...["UTC", ...Intl.supportedValuesOf("timeZone")].map((value) => make("option", { value })));
  if (!zones.isConnected) document.body.append(zones);
  return zones.id;
}

/** The parts of one trigger's config; it changes `config` in place, and calls `edited`. */
export class TriggerConfig {
  constructor(type, config, fields, edited) {
    Object.assign(this, { type, config, edited, parts: new Map() });
    this.element = make("div", { class: "stack" });
    if (type.startsWith("temporal.")) this.#schedule();
    if (type.startsWith("tag.")) this.#tag();
    if (type === "customer.updated") this.#changed();
    this.fields = fields;
  }

  /** The fields of the type's events: their values are suggested. */
  set fields(fields) {
    const values = fields.find((one) => one.path === "tag")?.values ?? [];
    this.tags?.replaceChildren(...values.map((value) => make("option", { value })));
  }

  #put(name, value) {
    if (value === undefined || value === "") delete this.config[name];
    else this.config[name] = value;
    this.#dues();
    this.edited();
  }

  #field(name, label, control, help) {
    const wrong = place();
    this.parts.set(name, { control, wrong });
    control.id ||= newId();
    return make("div", { class: "field" }, make("label", { text: label, for: control.id }), control, help ? make("p", { class: "help", text: help }) : null, wrong);
  }

  #tag() {
    this.tags = make("datalist", { id: newId() });
    const input = make("input", { type: "text", maxLength: 100, value: this.config.tag ?? "", list: this.tags.id, placeholder: "Any tag", input: () => this.#put("tag", input.value) });
    this.element.append(this.#field("tag", "Which tag", input, "Leave it empty for any tag."), this.tags);
  }

  #changed() {
    const input = make("input", { type: "text", value: (this.config.fields ?? []).join(", "), placeholder: "Any change", input: () => {
      const names = input.value.split(",").map((one) => one.trim()).filter(Boolean);
      this.#put("fields", names.length ? names : undefined);
    } });
    this.element.append(this.#field("fields", "Only if one of these changed", input, "Names of fields with commas between them, such as email, plan. Leave it empty for any change."));
  }

  #schedule() {
    const { config, type } = this;
    const at = make("input", { type: "time", value: config.at ?? "", input: () => this.#put("at", at.value) });
    const zone = make("input", { type: "text", list: zoneList(), value: config.timezone ?? "UTC", input: () => this.#put("timezone", zone.value.trim()) });
    const when = make("div", { class: "row parts" }, this.#field("at", "Time", at), this.#field("timezone", "Time zone", zone));
    if (type === "temporal.weekly") this.element.append(this.#days());
    if (type === "temporal.monthly") {
      const day = make("input", { type: "number", min: 1, max: 31, value: config.day ?? "", input: () => this.#put("day", day.value === "" ? undefined : Number(day.value)) });
      when.prepend(this.#field("day", "Day of the month", day, "In a shorter month, its last day."));
    }
    this.due = make("p", { class: "dim", role: "status" });
    this.element.append(when, this.due, this.#audience());
    this.#dues();
  }

  #days() {
    const wrong = place();
    const boxes = Object.entries(DAYS).map(([day, name]) => {
      const box = make("input", { type: "checkbox", checked: (this.config.days ?? []).includes(day), change: () => {
        const chosen = new Set(this.config.days ?? []);
        chosen[box.checked ? "add" : "delete"](day);
        this.#put("days", Object.keys(DAYS).filter((one) => chosen.has(one)));
      } });
      return make("label", { class: "choice" }, box, name);
    });
    this.parts.set("days", { control: boxes[0].querySelector("input"), wrong });
    return make("fieldset", { class: "choices" }, make("legend", { text: "Days" }), ...boxes, wrong);
  }

  #audience() {
    const builder = make("condition-builder", { edited: () => this.#put("audience", builder.value) });
    builder.setAttribute("lead", "Once for every customer where");
    builder.setAttribute("none", "Once for every customer there is.");
    const body = make("div", { hidden: !this.config.audience }, builder);
    builder.value = this.config.audience ?? [];
    this.builder = builder;
    const pick = choice([["once", "once"], ["each", "once for each customer who fits"]], this.config.audience ? "each" : "once", { change: () => {
      body.hidden = pick.value === "once";
      this.#put("audience", body.hidden ? undefined : builder.value);
    } });
    return make("div", { class: "stack" }, this.#field("audience", "It runs", pick), body);
  }

  #dues() {
    if (!this.due) return;
    const found = nextDues(this.type, this.config);
    const text = found.length ? `Next: ${found.map((one) => said.format(one)).join("; ")} (your time)` : "It has no due time yet.";
    if (this.due.textContent !== text) this.due.textContent = text;
  }

  /** The fields of customers, for an audience. */
  set audienceFields(fields) {
    if (this.builder) this.builder.fields = fields;
  }

  /** Say what is wrong, by the path within the config. */
  set wrong(wrong) {
    const inner = new Map();
    const at = new Map();
    for (const [path, message] of wrong) {
      if (path.startsWith("audience[")) inner.set(path.slice("audience".length), message);
      else at.set(path.replace(/[[.].*$/, ""), message);
    }
    for (const [name, { control, wrong: where }] of this.parts) complain(control, where, at.get(name) ?? "");
    if (this.builder) this.builder.wrong = inner;
  }
}
