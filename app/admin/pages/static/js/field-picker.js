/**
 * `<field-picker label="Field">`: a path into an event, picked from what recent events really hold or written by hand.
 *
 * Properties: `value`, the path; `fields`, a list of `{path, type, example, values}`; `wrong`, a Map whose key "" holds what is wrong with it.
 * Fires a bubbling `edited` after each change. Attribute `label`: what it is read out as.
 */
import { Widget, complain, icon, make, newId, place } from "./dom.js";
import { spoken } from "./event-fields.js";

const shown = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

class FieldPicker extends Widget {
  #value = "";
  #fields = [];
  #active = -1;

  get value() {
    return this.#value;
  }

  set value(path) {
    this.#value = path ?? "";
    this.again();
  }

  get fields() {
    return this.#fields;
  }

  set fields(fields) {
    this.#fields = fields;
    if (this.#value && this.input && this.input === document.activeElement) this.#open(this.#value);
  }

  set wrong(wrong) {
    this.said ??= place();
    this.input ??= this.#input();
    complain(this.input, this.said, wrong?.get("") ?? "");
  }

  focus() {
    this.input.focus();
  }

  #input() {
    return make("input", {
      type: "text", role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", autocomplete: "off", spellcheck: false, maxLength: 512,
      placeholder: "Choose a field", "aria-label": this.getAttribute("label") ?? "Field",
      input: () => this.#typed(), click: () => this.#open(""), blur: () => this.#close(), keydown: (event) => this.#pressed(event),
    });
  }

  build() {
    this.input ??= this.#input();
    this.said ??= place();
    const open = () => (this.list ? this.#close() : (this.input.focus(), this.#open("")));
    const button = make("button", { type: "button", class: "quiet bare", tabIndex: -1, "aria-label": "Show the fields", mousedown: (event) => event.preventDefault(), click: open }, icon("down"));
    this.append(make("span", { class: "picker" }, this.input, button), this.said);
  }

  show() {
    if (this.input.value !== this.#value) this.input.value = this.#value;
  }

  #typed() {
    this.#value = this.input.value.trim();
    this.#open(this.#value);
    this.edited();
  }

  #open(words) {
    this.#close();
    const wanted = words.toLowerCase();
    const found = this.#fields.filter((one) => `${one.path} ${spoken(one.path)}`.toLowerCase().includes(wanted));
    if (!found.length) return;
    this.list = make("div", { class: "picker-list", role: "listbox", id: newId(), "aria-label": "Fields of recent events", mousedown: (event) => event.preventDefault() });
    for (const [parent, fields] of Map.groupBy(found, (one) => one.path.split(".").slice(0, -1).join("."))) this.list.append(this.#group(parent, fields));
    this.querySelector(".picker").append(this.list);
    this.input.setAttribute("aria-expanded", "true");
    this.input.setAttribute("aria-controls", this.list.id);
    this.options = [...this.list.querySelectorAll("[role=option]")];
    this.#active = -1;
    this.list.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }

  #group(parent, fields) {
    const name = parent.replace(/\.0(?=\.|$)/g, ".first").split(".").map(spoken).join(" › ");
    const group = make("div", { role: "group", "aria-label": name || "Event" });
    if (name) group.append(make("div", { class: "picker-parent", "aria-hidden": "true", text: name }));
    for (const one of fields) {
      const sample = one.example === "" || one.example === undefined ? "" : shown(one.example).slice(0, 40);
      const option = make("div", { role: "option", id: newId(), "aria-selected": String(one.path === this.#value), click: () => this.#pick(one.path) },
        make("span", { class: "picker-name", text: spoken(one.path.split(".").at(-1)) }), make("span", { class: "dim small", text: one.type }),
        make("span", { class: "dim small", text: sample }));
      option.dataset.path = one.path;
      group.append(option);
    }
    return group;
  }

  #pick(path) {
    this.#value = path;
    this.show();
    this.#close();
    this.edited();
  }

  #move(step) {
    if (!this.list) return this.#open("");
    this.options[this.#active]?.classList.remove("active");
    this.#active = (this.#active + step + this.options.length) % this.options.length;
    const active = this.options[this.#active];
    active.classList.add("active");
    active.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", active.id);
  }

  #pressed(event) {
    if (event.altKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") this.#move(event.key === "ArrowDown" ? 1 : this.#active < 0 ? 0 : -1);
    else if (event.key === "Enter" && this.list && this.#active >= 0) this.#pick(this.options[this.#active].dataset.path);
    else if (event.key === "Escape" && this.list) this.#close();
    else return;
    event.preventDefault();
  }

  #close() {
    this.list?.remove();
    this.list = null;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}

customElements.define("field-picker", FieldPicker);
