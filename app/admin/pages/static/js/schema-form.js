/**
 * `<schema-form>`: a form made from a JSON Schema with hints (`app/actions/shown.py` says what each means).
 *
 * Properties: `schema`; `value`, an object: a field that is left empty is not in it; `wrong`, a Map from a field's path to what is wrong with
 * it; `fields`, a list of `{path, type, example, values}`, and `sample`, an event, for its templates; `names`, what may be suggested, by widget.
 * Fires a bubbling `edited` after each change. `reveal(path)` leads to a field.
 */
import { Problem, call } from "./api.js";
import { Widget, make, newId } from "./dom.js";
import "./email-preview.js";
import { previewedEmail } from "./previews.js";
import { toast } from "./toasts.js";
import { widgetOf } from "./widgets.js";

const PAUSE_MS = 600;
const rootOf = (path) => /^[^.[]*/.exec(path)[0];
let templates;

/**
 * Names of message templates, by their kind; asked for once a page.
 *
 * @throws {Problem} They cannot be loaded; the next to ask asks again.
 */
async function templateNames(kind) {
  templates ??= call("GET", "/message-templates?limit=200").then(({ value }) => value.items);
  try {
    await templates;
  } catch (error) {
    templates = undefined;
    throw error;
  }
  return (await templates).filter((one) => one.kind === kind).map((one) => one.name);
}

class SchemaForm extends Widget {
  #value = {};
  #widgets = new Map();
  #wrong = new Map();
  #shared = { fields: [], sample: null };
  names = {};

  get value() {
    return this.#value;
  }

  set value(value) {
    this.#value = { ...value };
    if (this.built) this.#remake();
  }

  set fields(fields) {
    this.#share({ fields });
  }

  set sample(sample) {
    this.#share({ sample });
    if (this.built) this.#mail();
  }

  set wrong(wrong) {
    this.#wrong = wrong ?? new Map();
    if (this.built) this.#complain();
  }

  reveal(path) {
    const widget = this.#widgets.get(rootOf(path));
    widget?.root.closest("details.fold")?.setAttribute("open", "");
    if (widget && !this.#isOff(widget)) widget.focus();
    else this.top.focus();
  }

  build() {
    this.addEventListener("edited", (event) => this.#changed(event.target.closest("[data-field]")?.dataset.field));
    this.#remake();
  }

  show() {}

  /** Whether a field is of a way that is not taken. */
  #isOff({ root }) {
    const off = root.closest("[hidden]");
    return off !== null && this.contains(off);
  }

  #share(more) {
    Object.assign(this.#shared, more);
    for (const { part } of this.#widgets.values()) if (part) Object.assign(part, more);
  }

  #remake() {
    this.#widgets.clear();
    const choices = new Map((this.schema["x-choices"] ?? []).flatMap((one) => one.ways.flatMap(({ fields }) => fields.map((name) => [name, one]))));
    const first = [];
    const more = [];
    for (const [name, schema] of Object.entries(this.schema.properties ?? {})) {
      const choice = choices.get(name);
      if (!choice) (schema["x-more"] ? more : first).push(this.#widget(name, schema));
      else if (choice.ways[0].fields[0] === name) first.push(this.#choice(choice));
    }
    this.top = make("p", { class: "said", hidden: true, tabIndex: -1 });
    const rest = more.length ? [make("details", { class: "fold" }, make("summary", { text: "More options" }), make("div", { class: "stack" }, ...more))] : [];
    this.mail = this.schema["x-message"] === "email" ? document.createElement("email-preview") : null;
    this.replaceChildren(this.top, ...first, ...rest, ...(this.mail ? [this.mail] : []));
    this.#complain();
    this.#mail();
  }

  #widget(name, schema) {
    const value = name in this.#value ? this.#value[name] : (schema.default ?? undefined);
    const widget = widgetOf(name, schema, { value, names: this.names[schema["x-widget"]] });
    if (widget.part) Object.assign(widget.part, this.#shared);
    this.#widgets.set(name, widget);
    if (schema["x-widget"] === "message_template") this.#suggest(widget);
    return widget.root;
  }

  #suggest({ root }) {
    const control = root.querySelector("input");
    const fill = async () => {
      let names;
      try {
        names = await templateNames(this.schema["x-message"]);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        control.addEventListener("focus", fill, { once: true });
        return toast(`The message templates could not be loaded: ${error.message} You can write the name of one.`);
      }
      const list = make("datalist", { id: newId() }, ...names.map((value) => make("option", { value })));
      root.append(list);
      control.setAttribute("list", list.id);
    };
    control.addEventListener("focus", fill, { once: true });
  }

  /** Several ways to say a thing: the fields of one of them are shown, and are in the value. */
  #choice({ title, ways }) {
    const at = Math.max(0, ways.findIndex(({ fields }) => fields.some((name) => ![undefined, null, ""].includes(this.#value[name]))));
    const group = newId();
    const boxes = ways.map(({ fields }) => make("div", { class: "stack" }, ...fields.map((name) => this.#widget(name, this.schema.properties[name]))));
    const take = (chosen) => boxes.forEach((box, one) => { box.hidden = one !== chosen; });
    const radios = ways.map((way, one) => {
      const radio = make("input", { type: "radio", name: group, checked: one === at, change: () => { take(one); this.#turn(ways, one); } });
      return make("label", { class: "choice" }, radio, make("span", { text: way.title }));
    });
    take(at);
    return make("fieldset", { class: "stack ways" }, make("legend", { text: title }), make("div", { class: "choices" }, ...radios), ...boxes);
  }

  #turn(ways, chosen) {
    ways.forEach(({ fields }, at) => fields.forEach((name) => this.#take(name, at === chosen)));
    this.#complain();
    this.edited();
  }

  #take(name, wanted = true) {
    const value = wanted ? this.#widgets.get(name).read() : undefined;
    if (value === undefined) delete this.#value[name];
    else this.#value[name] = value;
  }

  #changed(name) {
    if (name) this.#take(name);
    clearTimeout(this.pause);
    if (this.mail) this.pause = setTimeout(() => this.#mail(), PAUSE_MS);
  }

  #complain() {
    const found = new Map();
    const lost = [];
    for (const [path, said] of this.#wrong) {
      const name = rootOf(path);
      const widget = this.#widgets.get(name);
      const rest = path.slice(name.length).replace(/^\./, "");
      if (!widget || this.#isOff(widget)) lost.push(name ? `${this.schema.properties?.[name]?.title ?? name} ${said}` : said);
      else if (!found.has(name)) found.set(name, rest ? `${rest}: ${said}` : said);
    }
    for (const [name, widget] of this.#widgets) {
      widget.say(found.get(name) ?? "");
      if (found.has(name)) widget.root.closest("details.fold")?.setAttribute("open", "");
    }
    this.top.textContent = lost.join(". ");
    this.top.hidden = !lost.length;
  }

  async #mail() {
    if (!this.mail || !this.#shared.sample) return;
    const config = structuredClone(this.#value);
    if (!config.template && !config.text && !config.html) return this.mail.say("It is shown here as soon as it has a text.");
    this.asking?.abort();
    this.asking = new AbortController();
    try {
      this.mail.sent = await previewedEmail(config, this.#shared.sample, this.asking.signal);
    } catch (error) {
      if (error.name !== "AbortError") this.mail.say(error.message);
    }
  }
}

customElements.define("schema-form", SchemaForm);
