/** Fields of forms: label, control, what helps, and what is wrong, tied together by ids. */
import { make, newId } from "./dom.js";

/**
 * Put a control into a field.
 *
 * @param {string} label
 * @param {HTMLElement} control
 * @param {object} [more] `help`; `beside`: what stands beside the label; `under`: what stands below the control; `unseen`: the label is read out alone;
 *   `around`: the element that stands where the control would, with the control in it.
 * @returns {{root: HTMLElement, say: function(string): void}} The field, and what says what is wrong with it.
 */
export function labelled(label, control, { help = "", beside = null, under = null, unseen = false, around = null } = {}) {
  control.id ||= newId();
  const name = make("label", { for: control.id, text: label, class: unseen ? "visually-hidden" : "" });
  const head = beside ? make("div", { class: "field-head" }, name, beside) : name;
  const { said, helps, say } = about(control, help);
  return { root: make("div", { class: "field" }, head, around ?? control, helps, under, said), say };
}

/** Put several controls into one field, under a legend. */
export function grouped(legend, controls, help = "") {
  const root = make("fieldset", { class: "field" }, make("legend", { text: legend }));
  const { said, helps, say } = about(root, help);
  root.append(...(helps ? [helps] : []), ...controls, said);
  return { root, say };
}

function about(control, help) {
  control.id ||= newId();
  const said = make("p", { class: "said", id: `${control.id}-said`, hidden: true });
  const helps = help ? make("p", { class: "help", id: `${control.id}-help`, text: help }) : null;
  const say = (text = "") => {
    said.textContent = text;
    said.hidden = !text;
    if (text && control.localName !== "fieldset") control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
    const ids = [helps?.id, text ? said.id : ""].filter(Boolean).join(" ");
    if (ids) control.setAttribute("aria-describedby", ids);
    else control.removeAttribute("aria-describedby");
  };
  say();
  return { said, helps, say };
}

/** Of what is wrong, by path, that which is below one path, by the rest of it. */
export function below(wrong, path) {
  const found = new Map();
  for (const [at, said] of wrong ?? []) {
    const rest = at.slice(path.length);
    if (at.startsWith(path) && (!rest || !path || rest[0] === "." || rest[0] === "[")) found.set(rest.replace(/^\./, ""), said);
  }
  return found;
}
