/** How the value of a condition is entered: a control for each kind of it, which tells `changed` what it became. */
import { choice, iconButton, make, newId } from "./dom.js";
import { Repeated, readJson } from "./json-text.js";
import { UNITS } from "./operators.js";

const NUMBER = /^-?\d+(\.\d+)?$/;
const two = (number) => String(number).padStart(2, "0");

/** What stands between thousands, and before decimals, where the viewer is. */
const { group, decimal } = Object.fromEntries(new Intl.NumberFormat().formatToParts(1234567.5).map((one) => [one.type, one.value]));

/** A number as it is written in JSON, of one as the viewer writes it: `1,000.50`. What may mean two things (`1.000`) stays, and is asked about. */
function ungrouped(text) {
  const [whole, part, ...more] = text.replace(/^-/, "").split(decimal);
  const [first, ...rest] = whole.split(group);
  const inThousands = rest.length && /^[1-9]\d{0,2}$/.test(first) && rest.every((one) => /^\d{3}$/.test(one));
  if (!inThousands || more.length || (part === undefined ? group === "." : !/^\d+$/.test(part))) return text;
  return `${text.startsWith("-") ? "-" : ""}${first}${rest.join("")}${part ? `.${part}` : ""}`;
}

const doubtful = (text) => group === "." && /^-?[1-9]\d{0,2}(\.\d{3})+$/.test(text);

/** Text as the JSON it stands for: a number where the field holds numbers, or may. */
export function read(text, type, was) {
  const plain = type === "number" ? ungrouped(text.trim()) : text.trim();
  if (plain === "") return undefined;
  if (type === "number" && doubtful(plain)) return text;
  const numeric = type === "number" || (type === "" && typeof was !== "string") || (type === "list" && typeof was === "number");
  return numeric && NUMBER.test(plain) && String(Number(plain)) === plain.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "") ? Number(plain) : text;
}

const asText = (value) => (value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

function suggested(input, values) {
  input.addEventListener("focus", () => {
    const options = values().filter((one) => typeof one !== "object");
    if (!options.length || input.list) return;
    const list = make("datalist", { id: newId() }, ...options.slice(0, 30).map((one) => make("option", { value: String(one) })));
    input.after(list);
    input.setAttribute("list", list.id);
  });
  return input;
}

function one({ leaf, type, values, changed }) {
  if (type === "yes or no") {
    const value = leaf.value === undefined ? "" : String(leaf.value);
    return choice([["", "Choose"], ["true", "yes"], ["false", "no"]], value, {
      "aria-label": "Value", change: (event) => changed(event.target.value === "" ? undefined : event.target.value === "true"),
    });
  }
  const first = leaf.value;
  const input = make("input", { type: "text", inputMode: type === "number" ? "decimal" : "text", "aria-label": "Value", placeholder: type === "number" ? "A number" : "A value", value: asText(leaf.value),
    autocomplete: "off", input: () => changed(read(input.value, type, first)) });
  return suggested(input, values);
}

/** Several values: each can be taken away, and Enter or a comma adds the next. */
function list({ leaf, type, values, changed }) {
  const chips = make("span", { class: "chips", role: "group", "aria-label": "Values" });
  const input = suggested(make("input", { type: "text", "aria-label": "Add a value", placeholder: "Add a value", autocomplete: "off" }), values);
  const now = Array.isArray(leaf.value) ? [...leaf.value] : [];
  const show = () => {
    chips.replaceChildren(...now.map((value, at) => make("span", { class: "chip", text: asText(value) }, iconButton("no", `Take ${asText(value)} away`, () => put(now.toSpliced(at, 1))))));
  };
  const put = (next, keep = true) => {
    now.splice(0, now.length, ...next);
    show();
    changed([...now]);
    if (keep) input.focus();
  };
  const add = (keep) => {
    const texts = input.value.split(/[,\n]/).map((text) => text.trim()).filter(Boolean);
    input.value = "";
    if (texts.length) put([...now, ...texts.map((text) => read(text, type, now[0]))], keep);
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === ",") {
      event.preventDefault();
      add(true);
    } else if (event.key === "Backspace" && !input.value && now.length) put(now.slice(0, -1));
  });
  input.addEventListener("blur", () => add(false));
  show();
  return make("span", { class: "values" }, chips, input);
}

function time({ leaf, changed }) {
  const at = new Date(leaf.value ?? "");
  const local = Number.isNaN(at.getTime()) ? "" : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
  return make("input", { type: "datetime-local", "aria-label": "Value, in your time zone", value: local,
    input: (event) => changed(event.target.value ? new Date(event.target.value).toISOString().replace(".000Z", "Z") : undefined) });
}

function now({ leaf, how, changed }) {
  const amount = make("input", { type: "number", min: 1, max: 99999, "aria-label": "How many", value: Number.parseInt(leaf.value.now.replace(/^[-+]/, ""), 10) });
  const unit = choice(Object.entries(UNITS).slice(1).map(([sign, word]) => [sign, `${word}s`]), leaf.value.now.at(-1), { "aria-label": "Unit" });
  const put = () => changed({ now: `${how.sign}${amount.value}${unit.value}` });
  amount.addEventListener("input", put);
  unit.addEventListener("change", put);
  return make("span", { class: "row" }, amount, unit);
}

function today({ leaf, how, changed }) {
  if (how.sign === "") return null;
  return make("input", { type: "number", min: 1, max: 9999, "aria-label": "Days", value: Math.abs(Number.parseInt(leaf.value.today, 10)),
    input: (event) => changed({ today: `${how.sign}${event.target.value}d` }) });
}

function json({ leaf, changed }) {
  const input = make("input", { type: "text", class: "code", "aria-label": "Value, as JSON", value: JSON.stringify(leaf.value) ?? "", spellcheck: false });
  input.addEventListener("input", () => {
    let said = "";
    try {
      changed(readJson(input.value));
    } catch (error) {
      said = error instanceof Repeated ? error.message : "";
      changed(said ? undefined : input.value || undefined);
    }
    input.setCustomValidity(said);
    input.reportValidity();
  });
  return input;
}

const EDITORS = { one, list, time, now, today, json, none: () => null };

/** The control for a condition's value, or null where it has none. */
export const valueEditor = (given) => EDITORS[given.how.kind](given);

/** What the value becomes as another operator is chosen: what was entered stays where it can. */
export function carried(how, value, type) {
  if (how.kind === "none") return null;
  if (how.kind === "now") return { now: `${how.sign}${value?.now?.replace(/^[-+]/, "") ?? "7d"}` };
  if (how.kind === "today") return how.sign ? { today: `${how.sign}1d` } : { today: "0d" };
  if (how.kind === "list") return Array.isArray(value) ? value : value === undefined || value === null || typeof value === "object" ? [] : [value];
  if (Array.isArray(value)) return how.kind === "one" ? value[0] : undefined;
  if (how.kind === "time") return typeof value === "string" && /^\d{4}-/.test(value) ? value : undefined;
  return typeof value === "object" || value === undefined ? undefined : typeof value === "string" ? read(value, type, undefined) : value;
}
