/**
 * Fields of a form, each made from its JSON Schema: `{root, read, write, say, focus, part}`.
 *
 * `root` fires `edited`; `read` answers undefined where it was left empty; `part` is its `template-field`, where it has one.
 */
import { choice, iconButton, make, newId } from "./dom.js";
import { jsonOrText } from "./json-text.js";
import { grouped, labelled } from "./labelled.js";
import "./template-field.js";

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const edited = (root) => root.dispatchEvent(new Event("edited", { bubbles: true }));
const asText = (value) => (value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value));

/** What a person writes as text, and what the JSON has of it. */
const LINE = { show: asText, take: (text) => text };
const LIST = { show: (value) => (Array.isArray(value) ? value.join(", ") : asText(value)), take: (text) => text };
const TEXTS = {
  addresses: LIST,
  days: LIST,
  lines: { lines: 3, show: (value) => (Array.isArray(value) ? value.join("\n") : asText(value)), take: (text) => text.split("\n").filter((one) => one.trim()) },
  json: { lines: 5, html: true, show: (value) => (typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value, null, 2)), take: taken },
  text: { ...LINE, lines: 4 },
  html: { ...LINE, lines: 8 },
  duration: { ...LINE, names: ["15 minutes", "1 hour", "1 day", "2 days", "1 week"] },
  timezone: { ...LINE, get names() { return Intl.supportedValuesOf("timeZone"); } },
};

/** JSON where it is some, else the text itself: a template may make JSON that is none yet. */
function taken(text) {
  return /^\s*[[{]|^\s*null\s*$/.test(text) ? jsonOrText(text) : text;
}

/** What a schema asks for, also where it may be null. */
function typeOf(schema) {
  const found = schema.type ?? schema.anyOf?.map((one) => one.type).find((one) => one !== "null");
  return Array.isArray(found) ? found[0] : found;
}

const choicesOf = (schema) =>
  schema.enum?.map((value) => [value, schema["x-labels"]?.[value] ?? String(value)]) ?? schema.oneOf?.map((one) => [one.const, one.title ?? String(one.const)]);

/**
 * Make a field.
 *
 * @param {string} name
 * @param {object} schema
 * @param {{value: any, names?: string[]}} more The value that it begins with; what may be suggested.
 */
export function widgetOf(name, schema, { value, names }) {
  const label = schema.title ?? name;
  const help = schema["x-help"] ?? schema.description ?? "";
  const kind = schema["x-widget"];
  const given = { label, help, schema, names };
  const made = choicesOf(schema) ? chosenOf(given)
    : kind === "pairs" || (kind === "lines" && isObject(value)) ? pairs(given)
    : typeOf(schema) === "boolean" ? ticked(given)
    : ["number", "integer"].includes(typeOf(schema)) && !schema["x-template"] ? counted(given)
    : texted(given, TEXTS[kind] ?? LINE);
  made.root.dataset.field = name;
  made.write(value);
  return made;
}

function texted({ label, help, schema, names }, how) {
  const offered = names?.length ? names : (how.names ?? schema.examples ?? []);
  const look = { label, help, example: how.show(schema.default ?? undefined) || (schema["x-example"] ? `e.g. ${schema["x-example"]}` : ""), lines: how.lines ?? 1, html: schema["x-template"] === "html" || how.html, names: offered };
  const read = (text) => (text === "" ? undefined : how.take(text));
  if (schema["x-template"]) {
    const part = Object.assign(document.createElement("template-field"), { look });
    const say = (text) => { part.wrong = new Map(text ? [["", text]] : []); };
    return { root: part, part, say, read: () => read(part.value), write: (value) => { part.value = how.show(value); }, focus: () => part.focus() };
  }
  const list = offered.length ? make("datalist", { id: newId() }, ...offered.map((value) => make("option", { value }))) : null;
  const control = make("input", { type: "text", autocomplete: "off", placeholder: look.example ?? "", list: list?.id, input: () => edited(control) });
  const { root, say } = labelled(label, control, { help, under: list });
  return { root, say, read: () => read(control.value), write: (value) => { control.value = how.show(value); }, focus: () => control.focus() };
}

function chosenOf({ label, help, schema }) {
  const pairs = choicesOf(schema);
  const control = choice(pairs.map(([, text], at) => [String(at), text]), "", { change: () => edited(control) });
  const { root, say } = labelled(label, control, { help });
  const write = (value) => { control.selectedIndex = pairs.findIndex(([one]) => one === value); };
  return { root, say, read: () => pairs[control.selectedIndex]?.[0], write, focus: () => control.focus() };
}

function ticked({ label, help }) {
  const control = make("input", { type: "checkbox", change: () => edited(control) });
  const { root, say } = labelled(label, control, { help });
  root.classList.add("ticked");
  return { root, say, read: () => control.checked, write: (value) => { control.checked = Boolean(value); }, focus: () => control.focus() };
}

function counted({ label, help, schema }) {
  const bounds = schema.anyOf?.find((one) => one.type !== "null") ?? schema;
  const control = make("input", { type: "number", step: "any", input: () => edited(control) });
  if (bounds.minimum !== undefined) control.min = bounds.minimum;
  if (bounds.maximum !== undefined) control.max = bounds.maximum;
  const { root, say } = labelled(label, control, { help });
  const read = () => (Number.isNaN(control.valueAsNumber) ? undefined : control.valueAsNumber);
  return { root, say, read, write: (value) => { control.value = value ?? ""; }, focus: () => control.focus() };
}

/** Names with values, a row each. A text stays one where only texts may be, else it is the JSON that it looks like. */
function pairs({ label, help, schema }) {
  const rows = make("div", { class: "pairs" });
  const add = make("button", { type: "button", text: "Add one", click: () => { row("", "").querySelector("input").focus(); } });
  const { root, say } = grouped(label, [rows, add], help);
  const texts = schema.additionalProperties?.type === "string" || schema.anyOf;
  const value = (text) => (!texts && /^(true|false|null|-?\d+(\.\d+)?|[[{].*)$/s.test(text.trim()) ? jsonOrText(text) : text);
  function row(name, written) {
    const key = make("input", { type: "text", value: name, "aria-label": "Name", placeholder: "Name", autocomplete: "off", input: () => edited(root) });
    const part = Object.assign(document.createElement("template-field"), { look: { label: "Value", example: "Value", unseen: true }, value: asText(written) });
    const gone = iconButton("trash", "Remove this row", () => { made.remove(); add.focus(); edited(root); });
    const made = make("div", { class: "pair" }, key, part, gone);
    part.addEventListener("edited", (event) => { event.stopPropagation(); edited(root); });
    Object.assign(part, shared);
    rows.append(made);
    return made;
  }
  const shared = {};
  const part = {
    set fields(fields) { spread({ fields }); },
    set sample(sample) { spread({ sample }); },
  };
  function spread(more) {
    Object.assign(shared, more);
    for (const one of rows.querySelectorAll("template-field")) Object.assign(one, more);
  }
  const read = () => {
    const found = [...rows.children].map((one) => [one.querySelector("input").value.trim(), value(one.querySelector("template-field").value)]).filter(([name]) => name);
    return found.length ? Object.fromEntries(found) : undefined;
  };
  const write = (given) => { rows.replaceChildren(); for (const [name, one] of Object.entries(given ?? {})) row(name, one); if (!rows.children.length) row("", ""); };
  return { root, part, say, read, write, focus: () => rows.querySelector("input").focus() };
}
