/**
 * `<condition-builder lead="Runs if" none="Runs for every event: there are no conditions.">`: a list of conditions, with groups in groups.
 *
 * Properties: `value`, the list as the API has it; `fields`, a list of `{path, type, example, values}`; `wrong`, a Map from the path within the list
 * (`[0].value`, `[1].all[0].field`) to what is wrong there. Fires a bubbling `edited` after each change. `reveal(path)` leads to a field.
 * Alt and an arrow moves the condition one is in: past the ends of a group out of it, onto a group into it.
 */
import { Widget, choice, complain, iconButton, make, place } from "./dom.js";
import { conditionWords, groupOf, isGroup } from "./condition-words.js";
import { ConditionRow } from "./condition-row.js";
import { onceIdle } from "./once.js";

const KINDS = [["all", "all of these"], ["any", "any of these"], ["none", "none of these"], ["some", "not all of these"]];
const WRITTEN = { all: (list) => ({ all: list }), any: (list) => ({ any: list }), none: (list) => ({ not: { any: list } }), some: (list) => ({ not: { all: list } }), not: (list) => ({ not: list }) };
const BELOW = { all: ".all", any: ".any", none: ".not.any", some: ".not.all", not: ".not" };
const NEW = () => ({ field: "", operator: "==" });

/** A member of a list: a row or a group, with what joins it to the one before. */
class Member {
  constructor(builder, item, join) {
    this.builder = builder;
    this.had = "logic" in item;
    const { logic: _, ...rest } = item;
    if (isGroup(item)) this.#group(rest);
    else this.row = new ConditionRow(rest, builder.fields, () => builder.touched());
    this.join = choice([["AND", "and"], ["OR", "or"]], join, { "aria-label": "Joined to the one before by", class: "join", change: () => builder.touched() });
    const controls = make("span", { class: "controls" },
      iconButton("up", "Move up", () => builder.move(this, -1)), iconButton("below", "Move down", () => builder.move(this, 1)),
      this.row ? iconButton("group", "Put into a group", () => builder.wrap(this)) : null,
      iconButton("no", this.row ? "Remove the condition" : "Remove the group", () => builder.remove(this)));
    this.said = place();
    const inner = make("div", { class: this.row ? "node" : "node group", role: "group", "aria-label": this.row ? "Condition" : "Group of conditions" });
    if (this.row) inner.append(this.row.element, controls);
    else inner.append(make("div", { class: "row spread" }, this.select, controls), this.list.element);
    this.element = make("li", {}, this.join, inner, this.said);
    this.element.addEventListener("keydown", (event) => {
      if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
      event.preventDefault();
      event.stopPropagation();
      builder.move(this, event.key === "ArrowUp" ? -1 : 1);
    });
  }

  #group(item) {
    const { kind, members, single } = groupOf(item);
    this.raw = single ? item : null;
    const kinds = kind === "not" ? [...KINDS, ["not", "not, as it is joined"]] : KINDS;
    this.select = choice(kinds, kind, { "aria-label": "Which of these must hold", change: () => {
      this.list.joined = this.select.value === "not";
      this.list.tidy();
      this.builder.touched();
    } });
    this.list = new List(this.builder, this, Array.isArray(members) ? members : [], kind === "not");
  }

  json() {
    return this.row ? { ...this.row.json() } : WRITTEN[this.select.value](this.list.json());
  }
}

/** A list of members: the whole, or a group's. */
class List {
  constructor(builder, owner, items, joined) {
    this.builder = builder;
    this.owner = owner;
    this.joined = joined;
    this.nodes = items.filter((one) => typeof one === "object" && one).map((item, at) => this.#take(new Member(builder, item, at && items[at - 1].logic === "OR" ? "OR" : "AND")));
    this.ol = make("ol", { class: "conditions" }, ...this.nodes.map((one) => one.element));
    this.add = make("button", { type: "button", text: owner ? "Add to the group" : "Add a condition", click: () => builder.insert(this, NEW()) });
    const group = owner ? null : make("button", { type: "button", class: "quiet", text: "Add a group", click: () => builder.insert(this, { any: [NEW()] }) });
    this.element = make("div", { class: "condition-list" }, this.ol, make("p", { class: "row" }, this.add, group));
    this.tidy();
  }

  #take(node) {
    node.parent = this;
    return node;
  }

  put(node, at) {
    this.nodes.splice(at, 0, this.#take(node));
    this.ol.insertBefore(node.element, this.nodes[at + 1]?.element ?? null);
    this.tidy();
  }

  take(node) {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    node.element.remove();
    this.tidy();
  }

  /** Show what joins two only where it can be chosen. */
  tidy() {
    this.nodes.forEach((one, at) => {
      one.join.hidden = at === 0 || !this.joined;
    });
  }

  json() {
    return this.nodes.map((node, at) => {
      const next = this.joined ? this.nodes[at + 1]?.join.value : undefined;
      const logic = next === "OR" || (next && node.had) ? next : undefined;
      return logic ? { ...node.json(), logic } : node.json();
    });
  }

  /** Every member below, with its path. */
  *walk(path) {
    for (const [at, node] of this.nodes.entries()) {
      yield [`${path}[${at}]`, node];
      if (node.list) yield* node.list.walk(`${path}[${at}]${BELOW[node.select.value]}`);
    }
  }
}

class ConditionBuilder extends Widget {
  #value = [];
  #fields = [];
  #wrong = new Map();
  #soon = onceIdle(() => this.#tell());

  get value() {
    return this.root && this.changed ? this.root.json() : this.#value;
  }

  set value(conditions) {
    this.#value = structuredClone(Array.isArray(conditions) ? conditions : []);
    this.changed = false;
    this.again();
  }

  get fields() {
    return this.#fields;
  }

  set fields(fields) {
    this.#fields = fields;
    for (const [, node] of this.root?.walk("") ?? []) if (node.row) node.row.fields = fields;
  }

  set wrong(wrong) {
    const wasWell = !this.#wrong.size;
    this.#wrong = wrong;
    if (this.root && (wrong.size || !wasWell)) this.#say();
  }

  /** What is wrong that only who knows the events can see, by its path. */
  get mistakes() {
    return [...(this.root?.walk("") ?? [])].filter(([, node]) => node.row?.mistake).map(([path, node]) => [`${path}.value`, node.row.mistake]);
  }

  build() {
    this.words = document.createTextNode("");
    this.all = place();
    this.append(make("p", { class: "in-words" }, this.words), this.all);
  }

  show() {
    this.root?.element.remove();
    this.root = new List(this, null, structuredClone(this.#value), true);
    this.append(this.root.element);
    this.#tell();
    this.#say();
  }

  /** Something was edited: the sentence says it as soon as there is time, and nothing else is drawn again. */
  touched() {
    this.changed = true;
    this.#soon();
    this.edited();
  }

  #tell() {
    const said = conditionWords(this.value);
    const text = said ? `${this.getAttribute("lead") ?? "Runs if"} ${said}${said.endsWith("…") ? "" : "."}` : this.getAttribute("none") ?? "Runs for every event: there are no conditions.";
    if (this.words.data !== text) this.words.data = text;
  }

  #say() {
    const at = new Map();
    for (const [path, message] of this.#wrong) {
      const [, node, part] = /^(.*?)(?:\.(?:not|(?:not\.)?(?:all|any))|\.(field|operator|value)(?:\[[[\]\d]*)?)?$/.exec(path);
      at.set(node, { ...at.get(node), [part ?? ""]: message });
    }
    complain(null, this.all, at.get("")?.[""] ?? "");
    for (const [path, node] of this.root.walk("")) {
      const said = at.get(node.parent.owner?.raw ? path.replace(/\.any\[0\]$/, "") : path) ?? {};
      if (node.row) node.row.wrong = said;
      complain(node.join, node.said, said[""] ?? "");
    }
  }

  insert(list, item) {
    const node = new Member(this, item, "AND");
    list.put(node, list.nodes.length);
    this.touched();
    (node.row ?? node.list.nodes[0].row).focus();
  }

  remove(node) {
    const { parent } = node;
    const at = parent.nodes.indexOf(node);
    parent.take(node);
    const [list, gap] = this.#withoutEmpty(parent, at);
    this.touched();
    (list.nodes[Math.min(gap, list.nodes.length - 1)]?.element.querySelector("input, select:not([hidden])") ?? list.add).focus();
  }

  /** Take away a group that lost its last member, and each that held nothing else; returns the list that has a gap now, and where. */
  #withoutEmpty(list, gap) {
    while (list.owner && !list.nodes.length) {
      const group = list.owner;
      list = group.parent;
      gap = list.nodes.indexOf(group);
      list.take(group);
    }
    return [list, gap];
  }

  wrap(node) {
    const { parent } = node;
    const at = parent.nodes.indexOf(node);
    parent.take(node);
    parent.put(new Member(this, { any: [node.json(), NEW()] }, node.join.value), at);
    this.touched();
    parent.nodes[at].list.nodes[1].row.focus();
  }

  move(node, step) {
    const { parent } = node;
    const at = parent.nodes.indexOf(node);
    const beside = parent.nodes[at + step];
    const focused = node.element.contains(document.activeElement) ? document.activeElement : null;
    if (!beside && !parent.owner) return;
    parent.take(node);
    if (beside?.list) beside.list.put(node, step < 0 ? beside.list.nodes.length : 0);
    else if (beside) parent.put(node, at + step);
    else parent.owner.parent.put(node, parent.owner.parent.nodes.indexOf(parent.owner) + (step < 0 ? 0 : 1));
    this.#withoutEmpty(parent, at);
    focused?.focus();
    this.touched();
  }

  reveal(path) {
    const found = this.#wrong.has(path) ? this.querySelector('[aria-invalid="true"]') : null;
    const nodes = [...(this.root?.walk("") ?? [])];
    const node = nodes.filter(([where]) => path.startsWith(where)).at(-1)?.[1];
    (node?.element.querySelector('[aria-invalid="true"]') ?? found ?? node?.row ?? this.root.add).focus();
  }
}

customElements.define("condition-builder", ConditionBuilder);
