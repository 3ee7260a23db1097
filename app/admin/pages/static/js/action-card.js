/**
 * `<action-card>`: one step. Closed, it is a line in words; opened, its form, when it happens, and what follows where it fails.
 *
 * Properties: `value`, `{type, order, config, conditions, on_error?}`; `type`, the API's answer about its action type; `wrong`, a Map from
 * the path below the step to what is wrong; `fields`, a list of `{path, type, example, values}`; `sample`, an event; `number`, its place from 1.
 * Fires a bubbling `edited` after each change, and `step` with `detail` one of up, down, copy, remove. `reveal(path)` opens it at a field.
 */
import "./condition-builder.js";
import { conditionWords } from "./condition-words.js";
import { Widget, choice, icon, iconButton, make, newId } from "./dom.js";
import { below, labelled } from "./labelled.js";
import "./schema-form.js";
import { stepWords } from "./step-words.js";

const MOVES = [["up", "up", "Move up"], ["down", "below", "Move down"], ["copy", "copy", "Duplicate"], ["remove", "trash", "Delete"]];
const ON_ERROR = { stop: "Stop the workflow here", continue: "Go on with the next step" };

class ActionCard extends Widget {
  #value = { type: "", order: 0, config: {}, conditions: [] };
  #shared = { fields: [], sample: null };
  #wrong = new Map();
  #number = 1;
  names = {};

  get value() {
    return this.#value;
  }

  set value(value) {
    this.#value = { ...value, config: { ...value.config }, conditions: value.conditions ?? [] };
    if (!this.built) return;
    if (this.form) this.form.value = this.#value.config;
    if (this.conditions) this.conditions.value = this.#value.conditions;
    this.show();
  }

  get schema() {
    return this.type?.config_schema ?? { title: this.#value.type, properties: {} };
  }

  get number() {
    return this.#number;
  }

  set number(number) {
    if (number === this.#number) return;
    this.#number = number;
    if (this.built) this.#name();
  }

  set fields(fields) {
    this.#share({ fields });
  }

  set sample(sample) {
    this.#share({ sample });
  }

  set wrong(wrong) {
    this.#wrong = wrong ?? new Map();
    if (this.built) this.#complain();
  }

  /** What it is called: its place, and what it does. */
  get called() {
    return `Step ${this.#number}: ${this.schema.title}`;
  }

  /** Open it, and lead to what a path names. */
  reveal(path) {
    this.open(true);
    if (path.startsWith("conditions")) {
      this.only.open = true;
      this.conditions.reveal(path.slice("conditions".length));
    } else if (path.startsWith("config.")) this.form.reveal(path.slice("config.".length));
    else this.button.focus();
  }

  focus() {
    this.button.focus();
  }

  build() {
    this.body = make("div", { class: "stack step-body", id: newId(), hidden: true });
    this.line = make("span", { class: "dim step-line" });
    this.name = make("span", { class: "step-name" });
    this.button = make("button", { type: "button", class: "quiet step-open", "aria-expanded": "false", "aria-controls": this.body.id, click: () => this.open(this.body.hidden) },
      icon(this.schema["x-icon"] ?? "skip"), make("span", { class: "step-words" }, this.name, this.line));
    this.mark = make("span", { class: "status bad", hidden: true });
    this.handle = iconButton("grip", "", () => {});
    this.handle.classList.add("handle");
    this.moves = MOVES.map(([what, image]) => iconButton(image, "", () => this.dispatchEvent(new CustomEvent("step", { bubbles: true, detail: what }))));
    const head = make("div", { class: "step-head" }, this.handle, make("h3", {}, this.button), this.mark, make("div", { class: "step-moves" }, ...this.moves));
    this.append(head, this.body);
    this.addEventListener("edited", () => this.#line());
    this.#name();
    this.#complain();
  }

  show() {
    this.#line();
    if (this.fails) this.fails.value = this.#value.on_error ?? this.#usual;
  }

  /** What follows where it fails, if nobody says. */
  get #usual() {
    return this.#value.type === "delay" ? "stop" : "continue";
  }

  open(wanted) {
    if (wanted && !this.form) this.#body();
    this.body.hidden = !wanted;
    this.button.setAttribute("aria-expanded", String(wanted));
  }

  /** Lead to its first field, as after it was added. */
  begin() {
    this.open(true);
    (this.form.querySelector("input:not([type=radio]), textarea, select") ?? this.button).focus();
  }

  #share(more) {
    Object.assign(this.#shared, more);
    if (!this.form) return;
    Object.assign(this.form, more);
    if (more.fields) this.conditions.fields = more.fields;
  }

  #name() {
    this.name.textContent = this.called;
    this.handle.setAttribute("aria-label", `Drag step ${this.#number} to move it, or press Alt and an arrow key`);
    this.handle.title = "Drag to move, or press Alt and an arrow key";
    this.moves.forEach((button, at) => {
      button.setAttribute("aria-label", `${MOVES[at][2]} step ${this.#number}`);
      button.title = MOVES[at][2];
    });
  }

  #line() {
    const only = conditionWords(this.#value.conditions);
    const text = [stepWords(this.schema, this.#value.config), only && `only if ${only}`].filter(Boolean).join(" · ");
    if (this.line.textContent !== text) this.line.textContent = text;
  }

  #body() {
    this.form = Object.assign(document.createElement("schema-form"), { schema: this.schema, names: this.names, ...this.#shared, value: this.#value.config });
    this.form.addEventListener("edited", () => { this.#value.config = this.form.value; });
    const pairs = ["continue", "stop"].map((one) => [one, ON_ERROR[one] + (one === this.#usual ? " (usual)" : "")]);
    this.fails = choice(pairs, this.#value.on_error ?? this.#usual, { change: () => this.#failing() });
    this.failing = labelled("If this step fails", this.fails);
    if (!this.type) this.body.append(make("p", { class: "alert", text: `There is no step of the type ${this.#value.type} here. Delete it, or ask your administrator.` }));
    this.#ask();
    this.body.append(this.form, this.only, this.failing.root);
    this.#complain();
  }

  #failing() {
    if (this.fails.value === this.#usual) delete this.#value.on_error;
    else this.#value.on_error = this.fails.value;
    this.edited();
  }

  #ask() {
    this.conditions = Object.assign(document.createElement("condition-builder"), { fields: this.#shared.fields, value: this.#value.conditions });
    const said = { lead: "Happens only if", none: "Happens every time: there are no conditions.", role: "group", "aria-label": "Only if" };
    for (const [name, text] of Object.entries(said)) this.conditions.setAttribute(name, text);
    this.conditions.addEventListener("edited", () => {
      this.#value.conditions = this.conditions.value;
    });
    this.only = make("details", { class: "fold", open: this.#value.conditions.length > 0 }, make("summary", { text: "Only if …" }), this.conditions);
  }

  #complain() {
    const count = this.#wrong.size;
    this.mark.hidden = !count;
    this.mark.replaceChildren(icon("warn"), count === 1 ? "1 thing to put right" : `${count} things to put right`);
    if (!this.form) return;
    const config = below(this.#wrong, "config");
    for (const [path, said] of this.#wrong) if (!/^(config|conditions|on_error)/.test(path)) config.set("", said);
    this.form.wrong = config;
    this.failing.say(this.#wrong.get("on_error") ?? "");
    this.conditions.wrong = below(this.#wrong, "conditions");
  }
}

customElements.define("action-card", ActionCard);
