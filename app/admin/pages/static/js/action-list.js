/**
 * `<action-list>`: the steps of a workflow, in their order: added between any two, moved, duplicated, deleted with undo.
 *
 * Properties: `value`, the `actions` array as in the API; `types`, the API's answer about action types, set before it; `wrong`, a Map from the path below
 * `actions` (`[0].config.subject`) to what is wrong; `fields`, a list of `{path, type, example, values}` of the event type; `sample`, an event
 * to show texts with; `names`, what may be suggested, by widget (`{channel: […], secret: […]}`).
 * Fires a bubbling `edited` after each change. `reveal(path)` opens a step at a field.
 */
import "./action-card.js";
import { Widget, icon, make } from "./dom.js";
import { chosen } from "./menus.js";
import { toast } from "./toasts.js";

const MOST = 50;
/** Whether two JSON values are the same, whatever the order of their keys: the database has one of its own. */
function same(one, other) {
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return one === other;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => name in other && same(one[name], other[name]));
}

const HEADINGS = ["Messages", "Customer", "Work", "Flow"];

class ActionList extends Widget {
  #given = [];
  #rows = [];
  #types = new Map();
  #shared = { fields: [], sample: null };
  #wrong = new Map();
  names = {};

  get value() {
    if (!this.built) return this.#given;
    let last = -1;
    return this.#cards.map(({ value }) => {
      last = value.order > last ? value.order : last + 1;
      return { ...value, order: last };
    });
  }

  set value(actions) {
    this.#given = [...(actions ?? [])].sort((one, other) => one.order - other.order);
    this.again();
  }

  set types(types) {
    this.#types = new Map((types.items ?? types).map((one) => [one.type, one]));
  }

  set fields(fields) {
    this.#share({ fields });
  }

  set sample(sample) {
    this.#share({ sample });
  }

  set wrong(wrong) {
    const wasWell = !this.#wrong.size;
    this.#wrong = wrong ?? new Map();
    if (this.#wrong.size || !wasWell) this.#complain();
  }

  reveal(path) {
    const [, at, rest = ""] = /^\[(\d+)\]\.?(.*)$/.exec(path) ?? [];
    const card = this.#cards[at];
    if (card) card.reveal(rest);
    else this.querySelector(".add").focus();
  }

  get #cards() {
    return this.#rows.map(({ card }) => card);
  }

  build() {
    this.list = make("ol", { class: "steps" });
    this.said = make("p", { class: "visually-hidden", role: "status" });
    this.none = make("p", { class: "dim", text: "No steps yet. Add what is to happen, such as an e-mail or a tag." });
    this.problem = make("p", { class: "said", hidden: true });
    this.append(this.none, this.problem, this.#adder(() => 0), this.list, this.said);
    this.addEventListener("step", (event) => this.#do(event.target, event.detail));
    this.addEventListener("keydown", (event) => this.#pressed(event));
    this.addEventListener("pointerdown", (event) => this.#pressedOn(event));
  }

  /** Show what was set: cards whose step is as it was stay as they are, opened or not. */
  show() {
    this.#given.forEach((action, at) => {
      const card = this.#rows[at]?.card;
      if (card?.value.type !== action.type) this.#put(action, at, Boolean(card));
      else if (!same(card.value, { conditions: [], ...action })) card.value = action;
    });
    for (const { row } of this.#rows.splice(this.#given.length)) row.remove();
    this.#renumber();
    this.#complain();
  }

  #share(more) {
    Object.assign(this.#shared, more);
    for (const card of this.#cards) Object.assign(card, more);
  }

  #adder(place) {
    const button = make("button", { type: "button", class: "add", click: () => this.#add(place()) }, icon("plus"), make("span", { text: "Add a step" }));
    return make("div", { class: "between" }, button);
  }

  #put(action, at, replaces = false) {
    const card = Object.assign(document.createElement("action-card"), { type: this.#types.get(action.type), names: this.names, ...this.#shared, value: action });
    const row = make("li", {}, card);
    const one = { card, row };
    row.append(this.#adder(() => this.#rows.indexOf(one) + 1));
    if (replaces) this.#rows[at].row.replaceWith(row);
    else this.list.insertBefore(row, this.list.children[at] ?? null);
    this.#rows.splice(at, replaces ? 1 : 0, one);
    return card;
  }

  async #add(at) {
    if (this.#rows.length >= MOST) return toast(`A workflow has ${MOST} steps at most.`);
    const groups = HEADINGS.map((title) => ({ title, items: this.#choices(title) }));
    const type = await chosen("Add a step", "Search the steps", groups);
    if (!type) return;
    const card = this.#put({ type, order: (this.#cards[at - 1]?.value.order ?? 0) + 1, config: {}, conditions: [] }, at);
    this.#changed(`Added as step ${at + 1}`);
    card.begin();
  }

  #choices(heading) {
    const of = [...this.#types.values()].filter(({ config_schema: schema }) => schema["x-family"] === heading);
    return of.map(({ type, config_schema: schema }) => ({ value: type, title: schema.title, text: schema["x-help"], icon: schema["x-icon"] }));
  }

  #do(card, what) {
    const at = this.#cards.indexOf(card);
    if (what === "up") this.#move(at, at - 1);
    else if (what === "down") this.#move(at, at + 1);
    else if (what === "copy") this.#copy(card, at);
    else this.#remove(card, at);
  }

  #copy(card, at) {
    if (this.#rows.length >= MOST) return toast(`A workflow has ${MOST} steps at most.`);
    this.#put(structuredClone(card.value), at + 1).focus();
    this.#changed(`Step ${at + 1} was duplicated`);
  }

  #remove(card, at) {
    const was = structuredClone(card.value);
    const name = card.called;
    this.#rows.splice(at, 1)[0].row.remove();
    (this.#cards[at] ?? this.#cards[at - 1] ?? this.querySelector(".add")).focus();
    this.#changed();
    toast(`${name} was deleted.`, () => {
      this.#put(was, Math.min(at, this.#rows.length)).focus();
      this.#changed("It is back");
    });
  }

  /** Put a row past its neighbour: the neighbour goes round it, so that what is held or focused stays where it is. */
  #swap(at, to) {
    const [one, other] = [this.#rows[at], this.#rows[to]];
    if (to < at) one.row.after(other.row);
    else one.row.before(other.row);
    [this.#rows[at], this.#rows[to]] = [other, one];
    // What runs first has the lower order, as before.
    [one.card.value.order, other.card.value.order] = [other.card.value.order, one.card.value.order];
    this.#renumber();
  }

  #move(at, to) {
    if (to < 0 || to >= this.#rows.length) return;
    this.#swap(at, to);
    this.#rows[to].row.scrollIntoView({ block: "nearest" });
    this.#changed(`Moved to place ${to + 1} of ${this.#rows.length}`);
  }

  #pressed(event) {
    if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key) || event.target.localName === "select") return;
    const at = this.#cards.indexOf(event.target.closest("action-card"));
    if (at < 0) return;
    event.preventDefault();
    this.#move(at, event.key === "ArrowUp" ? at - 1 : at + 1);
  }

  #pressedOn(event) {
    const handle = event.target.closest(".handle");
    if (!handle || event.button) return;
    const card = handle.closest("action-card");
    const from = this.#cards.indexOf(card);
    handle.setPointerCapture(event.pointerId);
    card.classList.add("held");
    const drag = ({ clientY }) => this.#drag(this.#cards.indexOf(card), clientY);
    const end = () => {
      handle.removeEventListener("pointermove", drag);
      card.classList.remove("held");
      const at = this.#cards.indexOf(card);
      if (at !== from) this.#changed(`Moved to place ${at + 1} of ${this.#rows.length}`);
    };
    handle.addEventListener("pointermove", drag);
    handle.addEventListener("lostpointercapture", end, { once: true });
  }

  #drag(at, y) {
    const middle = (row) => { const { top, height } = row.getBoundingClientRect(); return top + height / 2; };
    if (at > 0 && y < middle(this.#rows[at - 1].row)) this.#swap(at, at - 1);
    else if (at + 1 < this.#rows.length && y > middle(this.#rows[at + 1].row)) this.#swap(at, at + 1);
  }

  #changed(words = "") {
    this.#renumber();
    if (words) this.said.textContent = words;
    this.edited();
  }

  #renumber() {
    this.#cards.forEach((card, at) => { card.number = at + 1; });
    this.none.hidden = this.#rows.length > 0;
    this.querySelectorAll(".add").forEach((button, at) => button.setAttribute("aria-label", at < this.#rows.length ? `Add a step before step ${at + 1}` : "Add a step at the end"));
  }

  #complain() {
    if (!this.built) return;
    const by = this.#cards.map(() => new Map());
    const whole = [];
    for (const [path, said] of this.#wrong) {
      const [, at, rest] = /^\[(\d+)\]\.?(.*)$/.exec(path) ?? [];
      if (by[at]) by[at].set(rest, said);
      else whole.push(said);
    }
    this.#cards.forEach((card, at) => { card.wrong = by[at]; });
    this.problem.textContent = whole.join(". ");
    this.problem.hidden = !whole.length;
  }
}

customElements.define("action-list", ActionList);
