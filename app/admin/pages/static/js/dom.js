/** Making elements in few words. What people wrote goes in as text, never as markup. */
const SVG = "http://www.w3.org/2000/svg";
let count = 0;

/** An id that no other element has. */
export const newId = () => `w${++count}`;

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {object} [given] Functions listen to the event they are named by; names with a dash, and `role`, `list`, `for`, `href` are attributes;
 *   what is left out (null, undefined, false) is not set; the rest are properties, `class` and `text` among them.
 * @param {...(Node|string|null)} children
 */
export function make(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") made.addEventListener(name, value);
    else if (name === "class") made.className = value;
    else if (name === "text") made.textContent = value;
    else if (name.includes("-") || name === "role" || name === "list" || name === "for") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((one) => one !== null && one !== undefined));
  return made;
}

/** One of the sprite's icons. */
export function icon(name) {
  const made = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  made.setAttribute("class", "icon");
  made.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  made.append(use);
  return made;
}

/** A button that is only an icon; its label is read out, and shown as one points at it. */
export const iconButton = (name, label, click) => make("button", { type: "button", class: "quiet bare", "aria-label": label, title: label, click }, icon(name));

/** A list to choose from: pairs of value and words. */
export function choice(pairs, value, given) {
  const made = make("select", given);
  made.append(...pairs.map(([one, text]) => make("option", { value: one, text, selected: one === value })));
  return made;
}

/** Say at a control what is wrong with it, in the element beside it; an empty text takes that back. */
export function complain(control, place, text = "") {
  if (place.textContent !== text) {
    place.textContent = text;
    place.hidden = !text;
  }
  if (!control || control.hasAttribute("aria-invalid") === Boolean(text)) return;
  place.id ||= newId();
  for (const [name, value] of [["aria-invalid", "true"], ["aria-describedby", place.id]]) {
    if (text) control.setAttribute(name, value);
    else control.removeAttribute(name);
  }
}

/** Where a control's mistake is said. */
export const place = () => make("p", { class: "said", hidden: true });

/**
 * An element of ours: `build` makes what is in it once, when it is first shown; `show` says again what its value is.
 * After each change by a person it fires `edited`, which bubbles.
 */
export class Widget extends HTMLElement {
  connectedCallback() {
    if (this.built) return;
    this.built = true;
    this.build();
    this.show();
  }

  /** Show what was set, once there is something to show it in. */
  again() {
    if (this.built) this.show();
  }

  edited() {
    this.dispatchEvent(new Event("edited", { bubbles: true }));
  }
}
