/**
 * `<template-field>`: a text that values of the event are put into, with a menu of them and, below it, what it becomes.
 *
 * Properties: `value`, the text; `fields`, a list of `{path, type, example, values}`; `sample`, the event that it is shown with;
 * `wrong`, a Map whose key "" holds what is wrong with it; `look`, set once before it is shown: `{label, help, example, lines, html, names, unseen}`.
 * Fires a bubbling `edited` after each change.
 */
import { Widget, choice, icon, make, newId } from "./dom.js";
import { labelled } from "./labelled.js";
import { chosen } from "./menus.js";
import { preview, unpreview } from "./previews.js";

const FORMS = [
  ["", "As it is"],
  [" | default('…')", "With other words where it is missing"],
  [" | money", "As an amount: 1,234.50"],
  [" | date('%d/%m/%Y')", "As a date: 31/12/2026"],
  [" | upper", "In capital letters"],
  [" | capitalize", "With a capital letter"],
  [" | urlencode", "For a web address"],
];
const OURS = [
  { value: "workflow.name", title: "workflow name", text: "Its name" },
  { value: "event.time", title: "event time", text: "When it happened" },
  { value: "event.subject", title: "event subject", text: "Whom it is about" },
];
const NAME = /^[A-Za-z_]\w*$/;
const MOST_SHOWN = 300;

/** A path of an event as templates have it: `order.items.0.price` is `order.items[0].price`. */
export const inTemplate = (path) =>
  path.split(".").map((part, at) => (/^\d+$/.test(part) ? `[${part}]` : NAME.test(part) ? (at ? `.${part}` : part) : `[${JSON.stringify(part)}]`)).join("");

/** Whether something was begun that is not at its end yet: while one types it is so, and no mistake. */
const isUnfinished = (source) => source.split(/\{[{%]/).length !== source.split(/[%}]\}/).length;

async function chosenValue(fields) {
  const form = choice(FORMS, "", { "aria-label": "How it is written" });
  const items = fields.filter(({ path }) => !path.startsWith("event.")).map(({ path, example }) => {
    const shown = example === "" || example === undefined ? "" : typeof example === "object" ? JSON.stringify(example) : String(example);
    return { value: path, title: path.replaceAll(/[._]/g, " "), text: shown.slice(0, 60) };
  });
  const groups = [{ title: "From the event", items }, { title: "Beside it", items: OURS }];
  const path = await chosen("Insert a value", "Search the values", groups, form);
  return path && `{{ ${inTemplate(path)}${form.value} }}`;
}

class TemplateField extends Widget {
  #value = "";
  #fields = [];
  #sample = null;
  #wrong = "";

  get value() {
    return this.#value;
  }

  set value(text) {
    this.#value = text ?? "";
    this.again();
  }

  get fields() {
    return this.#fields;
  }

  set fields(fields) {
    this.#fields = fields ?? [];
  }

  set sample(event) {
    this.#sample = event;
    if (this.built) this.#preview();
  }

  set wrong(wrong) {
    this.#wrong = wrong?.get("") ?? "";
    this.say?.(this.#wrong);
  }

  focus() {
    this.control.focus();
  }

  disconnectedCallback() {
    unpreview(this);
  }

  build() {
    const { label, help = "", example = "", lines = 1, html = false, names = [], unseen = false } = this.look;
    this.filled = make("p", { class: "filled small", hidden: true });
    const list = names.length ? make("datalist", { id: newId() }, ...names.map((value) => make("option", { value }))) : null;
    this.control = make(lines > 1 ? "textarea" : "input", {
      class: html ? "code" : "", placeholder: example, autocomplete: "off", spellcheck: !html && lines > 1, list: list?.id,
      ...(lines > 1 ? { rows: lines } : { type: "text" }), input: () => this.#typed(),
    });
    const button = make("button", { type: "button", class: "quiet insert", title: "A value of the event, such as the customer's name", click: () => this.#insert() }, icon("braces"), "Insert a value");
    const around = make("div", { class: "with-insert" }, this.control, button);
    const { root, say } = labelled(label, this.control, { help, unseen, under: this.filled, around });
    const name = root.querySelector("label");
    name.id = newId();
    button.setAttribute("aria-describedby", name.id);
    this.say = say;
    this.append(root, ...(list ? [list] : []));
  }

  show() {
    if (this.control.value !== this.#value) this.control.value = this.#value;
    this.say(this.#wrong);
    this.#preview();
  }

  #typed() {
    this.#value = this.control.value;
    this.#preview();
    this.edited();
  }

  async #insert() {
    const { selectionStart, selectionEnd } = this.control;
    const text = await chosenValue(this.#fields);
    this.control.focus();
    if (!text) return;
    this.control.setRangeText(text, selectionStart, selectionEnd, "end");
    this.#typed();
  }

  #preview() {
    const source = this.#value;
    const { html = false } = this.look;
    if (!this.#sample || html || !/\{[{%]/.test(source)) {
      unpreview(this);
      this.filled.hidden = true;
      return undefined;
    }
    if (isUnfinished(source)) {
      unpreview(this);
      return this.#tell({ wrong: "a {{ or {% has no end yet" }, source);
    }
    return preview(this, { source, html, sample: this.#sample, tell: (said) => this.#tell(said, source) });
  }

  #tell({ text = "", wrong = "" }, source) {
    const later = wrong && /\bresults\b/.test(source);
    const whole = later ? "Filled in by an earlier step when it runs" : wrong ? `Cannot be filled in: ${wrong}` : text || "(nothing)";
    this.filled.textContent = whole.length > MOST_SHOWN ? `${whole.slice(0, MOST_SHOWN)}…` : whole;
    this.filled.classList.toggle("said-bad", Boolean(wrong) && !later);
    this.filled.hidden = false;
  }
}

customElements.define("template-field", TemplateField);
