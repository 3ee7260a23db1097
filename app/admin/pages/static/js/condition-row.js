/** One condition: field, operator in words, value. It knows its own JSON, and redraws nothing but itself. */
import "./field-picker.js";
import { choice, complain, make, place } from "./dom.js";
import { fieldAt } from "./event-fields.js";
import { operatorOf } from "./condition-words.js";
import { OPERATORS } from "./operators.js";
import { carried, valueEditor } from "./condition-value.js";

export class ConditionRow {
  /**
   * @param {object} leaf Its JSON; it is changed in place.
   * @param {object[]} fields
   * @param {() => void} edited Is called after each change.
   */
  constructor(leaf, fields, edited) {
    this.leaf = leaf;
    this.edited = edited;
    this.picker = document.createElement("field-picker");
    this.picker.setAttribute("label", "Field");
    this.picker.value = typeof leaf.field === "string" ? leaf.field : "";
    this.picker.addEventListener("edited", () => this.#fieldEdited());
    this.saidOperator = place();
    this.saidValue = place();
    this.operator = make("span", { class: "operator" });
    this.value = make("span", { class: "value" });
    this.element = make("div", { class: "condition" }, this.picker, this.operator, this.value);
    this.fields = fields;
  }

  set fields(fields) {
    this.known = fields;
    this.picker.fields = fields;
    if (!this.select || this.#type() !== this.type) this.#draw();
  }

  /** The JSON, without what was not entered yet. */
  json() {
    return this.leaf;
  }

  focus() {
    this.picker.focus();
  }

  /** Say what is wrong, by the name of the part. */
  set wrong(said) {
    this.picker.wrong = new Map([["", said.field ?? ""]]);
    complain(this.select, this.saidOperator, said.operator ?? "");
    this.said = said.value ?? "";
    this.#sayValue();
  }

  /** What is wrong with the value that only who knows the events can see: no number where they hold numbers, which would never be met. */
  get mistake() {
    return this.#type() === "number" && this.how?.kind === "one" && typeof this.leaf.value === "string" ? "Enter a number, such as 1000 or 99.90" : "";
  }

  #sayValue() {
    const control = this.value.querySelector("input, select");
    if (control) complain(control, this.saidValue, this.mistake || (this.said ?? ""));
  }

  #type() {
    return fieldAt(this.known, this.picker.value)?.type ?? "";
  }

  #fieldEdited() {
    const before = this.type;
    this.leaf.field = this.picker.value;
    if (this.#type() !== before) this.#draw();
    this.edited();
  }

  #draw() {
    this.type = this.#type();
    this.how = operatorOf(this.leaf, this.type);
    const fitting = OPERATORS.filter((one) => one.id === this.how.id || one.fits.includes(this.type));
    const pairs = fitting.map((one) => [one.id, one.words]);
    if (this.how.id === "json") pairs.push(["json", this.how.words]);
    this.select = choice(pairs, this.how.id, { "aria-label": "Comparison", change: () => this.#operatorChosen() });
    this.operator.replaceChildren(this.select, this.saidOperator);
    this.#drawValue();
  }

  #operatorChosen() {
    const how = OPERATORS.find((one) => one.id === this.select.value);
    if (!how) return;
    const value = carried(how, this.leaf.value, this.type);
    this.how = how;
    this.leaf.operator = how.operator;
    this.#put(value);
    this.#drawValue();
    this.edited();
  }

  #put(value) {
    if (value === undefined) delete this.leaf.value;
    else this.leaf.value = value;
  }

  #drawValue() {
    const values = () => fieldAt(this.known, this.picker.value)?.values ?? [];
    const changed = (value) => {
      this.#put(value);
      this.#sayValue();
      this.edited();
    };
    const control = valueEditor({ leaf: this.leaf, how: this.how, type: this.type, values, changed });
    this.value.replaceChildren(...(control ? [control, this.saidValue] : []));
    this.#sayValue();
  }
}
