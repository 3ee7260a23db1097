/**
 * `<trigger-picker>`: what starts a workflow, chosen from groups that can be searched, with what it asks for beside its type.
 *
 * Properties: `value`, `{type, config}` as the API has it; `types`, a list of `{type, group, title, description, sample}`; `fields`, those of the chosen
 * type's events; `customers`, those of customers, for an audience; `wrong`, a Map from the path within the trigger (`type`, `config.at`) to what is wrong.
 * Fires a bubbling `edited` after each change. `reveal(path)` leads to a field.
 */
import { Widget, complain, make, newId, place } from "./dom.js";
import { TriggerConfig } from "./trigger-config.js";

class TriggerPicker extends Widget {
  #value = { type: "", config: {} };
  #fields = [];
  #wrong = new Map();
  types = [];

  get value() {
    return this.#value;
  }

  set value(trigger) {
    this.#value = { config: {}, ...structuredClone(trigger ?? {}) };
    this.again();
  }

  set fields(fields) {
    this.#fields = fields;
    if (this.config) this.config.fields = fields;
  }

  set customers(fields) {
    this.audience = fields;
    if (this.config) this.config.audienceFields = fields;
  }

  set wrong(wrong) {
    this.#wrong = wrong;
    if (this.config) this.#say();
  }

  build() {
    this.name = make("strong", { class: "trigger-name" });
    this.about = make("p", { class: "dim" });
    this.change = make("button", { type: "button", text: "Change", "aria-expanded": "false", click: () => (this.panel.hidden ? this.#open() : this.#close()) });
    this.said = place();
    this.panel = make("div", { class: "trigger-panel", hidden: true, id: newId(), keydown: (event) => {
      if (event.key === "Escape") this.#close();
    } });
    this.change.setAttribute("aria-controls", this.panel.id);
    this.asks = make("div");
    this.append(make("div", { class: "row spread" }, this.name, this.change), this.about, this.said, this.panel, this.asks);
  }

  show() {
    const { type, config } = this.#value;
    const known = this.types.find((one) => one.type === type);
    this.name.textContent = known?.title ?? (type ? `“${type}” happens` : "Nothing yet: choose what starts it");
    this.about.textContent = known?.description ?? (type ? "An event type of your own." : "");
    this.config = new TriggerConfig(type ?? "", config, this.#fields, () => this.edited());
    this.config.audienceFields = this.audience ?? [];
    this.asks.replaceChildren(this.config.element);
    this.asks.hidden = !this.config.element.children.length;
    this.#say();
  }

  #say() {
    const below = [...this.#wrong].filter(([path]) => path.startsWith("config.")).map(([path, message]) => [path.slice("config.".length), message]);
    this.config.wrong = new Map(below);
    const text = this.#wrong.get("type") ?? this.#wrong.get("config") ?? this.#wrong.get("") ?? "";
    const unknown = below.filter(([path]) => !this.config.parts.has(path.replace(/[[.].*$/, ""))).map(([path, message]) => `${path}: ${message}`);
    complain(null, this.said, [text, ...unknown].filter(Boolean).join("; "));
  }

  #open() {
    this.search = make("input", { type: "search", placeholder: "Search what can happen", "aria-label": "Search what can start it", input: () => this.#list() });
    this.found = make("div", { class: "trigger-groups" });
    this.own = make("input", { type: "text", class: "own", id: newId(), placeholder: "com.shop.cart.abandoned", maxLength: 100, spellcheck: false, keydown: (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.#pick(this.own.value.trim());
    } });
    const use = make("button", { type: "button", text: "Use it", click: () => this.#pick(this.own.value.trim()) });
    this.panel.replaceChildren(this.search, this.found, make("div", { class: "row" }, make("label", { for: this.own.id, text: "Or an event type of your own" }), this.own, use));
    this.#list();
    this.panel.hidden = false;
    this.change.setAttribute("aria-expanded", "true");
    this.search.focus();
  }

  #close() {
    this.panel.hidden = true;
    this.change.setAttribute("aria-expanded", "false");
    this.change.focus();
  }

  #list() {
    const words = this.search.value.toLowerCase();
    const found = this.types.filter((one) => `${one.title} ${one.description} ${one.type} ${one.group}`.toLowerCase().includes(words));
    this.found.replaceChildren(...[...Map.groupBy(found, (one) => one.group)].map(([group, types]) => {
      const title = make("h3", { text: group, id: newId() });
      return make("section", { "aria-labelledby": title.id }, title, make("ul", { class: "trigger-list" }, ...types.map((one) => this.#option(one))));
    }));
    if (!found.length) this.found.replaceChildren(make("p", { class: "dim", text: `Nothing is called “${this.search.value}”. Write the type of an event of your own below.` }));
  }

  #option(one) {
    const about = make("span", { class: "dim small", text: one.description, id: newId() });
    const button = make("button", { type: "button", class: "quiet", "aria-describedby": about.id, "aria-pressed": String(one.type === this.#value.type), click: () => this.#pick(one.type) }, make("strong", { text: one.title }));
    const sample = one.sample ? make("details", { class: "small" }, make("summary", { text: "Sample", "aria-label": `Sample: ${one.title}` }), make("pre", { text: JSON.stringify(one.sample.data, null, 2) })) : null;
    return make("li", {}, button, about, sample);
  }

  #pick(type) {
    if (!type) return this.own.focus();
    if (type !== this.#value.type) {
      this.#value = { type, config: type.startsWith("temporal.") ? { at: "09:00", timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, ...(type.endsWith("weekly") && { days: ["mon"] }), ...(type.endsWith("monthly") && { day: 1 }) } : {} };
      this.#fields = [];
      this.#wrong = new Map();
      this.show();
      this.edited();
    }
    this.#close();
  }

  reveal(path) {
    (this.querySelector('.trigger-panel ~ div [aria-invalid="true"]') ?? this.change).focus();
    return path;
  }
}

customElements.define("trigger-picker", TriggerPicker);
