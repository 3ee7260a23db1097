/**
 * `<reentry-picker>`: how often a customer may enter a workflow, in words.
 *
 * Properties: `value`, the API's `reentry`; `fields`, for what is counted instead of customers; `wrong`, a Map from the path within it to what is wrong.
 * Fires a bubbling `edited` after each change.
 */
import "./field-picker.js";
import { Widget, choice, complain, make, newId, place } from "./dom.js";

const UNITS = ["seconds", "minutes", "hours", "days", "weeks"];

class ReentryPicker extends Widget {
  #value = "always";

  get value() {
    return this.#value;
  }

  set value(value) {
    this.#value = structuredClone(value ?? "always");
    this.again();
  }

  set fields(fields) {
    this.known = fields;
    if (this.key) this.key.fields = fields;
  }

  set wrong(wrong) {
    if (!this.often) return;
    const at = this.often.value === "per" ? this.amount : this.often;
    for (const other of [this.often, this.amount]) if (other !== at) complain(other, this.said);
    complain(at, this.said, wrong.get("") ?? wrong.get("once_per") ?? wrong.get("once") ?? "");
    this.key.wrong = new Map([["", wrong.get("key") ?? ""]]);
  }

  build() {
    const put = () => this.#put();
    this.often = choice([["always", "every time"], ["once", "only once"], ["per", "not again before"]], "always", { id: newId(), change: put });
    this.amount = make("input", { type: "number", min: 1, max: 9999, "aria-label": "How long", input: put });
    this.unit = choice(UNITS.map((one) => [one, one]), "days", { "aria-label": "Unit of the time", change: put });
    this.span = make("span", { class: "row" }, this.amount, this.unit, "have passed");
    this.by = choice([["", "customer"], ["key", "value of a field"]], "", { "aria-label": "Counted for each", change: put });
    this.key = make("field-picker", { edited: put });
    this.key.setAttribute("label", "Field that is counted by");
    this.key.fields = this.known ?? [];
    this.said = place();
    this.counted = make("span", { class: "row" }, "counted for each", this.by, this.key);
    this.append(make("div", { class: "row" }, make("label", { for: this.often.id, text: "A customer may enter" }), this.often, this.span, this.counted), this.said);
  }

  show() {
    const value = this.#value;
    const text = typeof value === "string" ? value : value.once ? "once" : `once per ${value.once_per ?? ""}`;
    const [, amount, unit] = /^once per (\d+)? ?(\w*)/.exec(text) ?? [];
    this.often.value = text.startsWith("once per") ? "per" : text === "once" ? "once" : "always";
    this.amount.value = amount ?? (unit ? 1 : 7);
    const known = UNITS.find((one) => unit && one.startsWith(unit.replace(/s$/, "")));
    if (unit && !known) this.unit.append(make("option", { value: unit, text: unit }));
    this.unit.value = known ?? unit ?? "days";
    this.by.value = typeof value === "object" ? "key" : "";
    this.key.value = value.key ?? "";
    this.#tidy();
  }

  #tidy() {
    this.span.hidden = this.often.value !== "per";
    this.counted.hidden = this.often.value === "always";
    this.key.hidden = this.by.value !== "key";
  }

  #put() {
    const often = this.often.value;
    const span = `${this.amount.value} ${this.unit.value}`;
    if (often === "always") this.#value = often;
    else if (this.by.value === "key") this.#value = often === "once" ? { once: true, key: this.key.value } : { once_per: span, key: this.key.value };
    else this.#value = often === "once" ? often : `once per ${span}`;
    this.#tidy();
    this.edited();
  }

  reveal() {
    (this.querySelector('[aria-invalid="true"]') ?? this.often).focus();
  }
}

customElements.define("reentry-picker", ReentryPicker);
