/** A dialog to choose one of many: searched by words, gone through by arrow keys. */
import { opened } from "./dialogs.js";
import { icon, make } from "./dom.js";

function section({ title, items }) {
  const list = make("ul", { class: "menu-items" });
  for (const item of items) {
    const words = make("span", { class: "menu-words" }, make("strong", { text: item.title }), item.text ? make("span", { class: "dim small", text: item.text }) : null);
    const button = make("button", { class: "quiet menu-item", value: item.value }, item.icon ? icon(item.icon) : null, words);
    list.append(make("li", {}, button));
  }
  return make("section", {}, make("h3", { class: "small dim", text: title }), list);
}

const buttons = (list) => [...list.querySelectorAll("li:not([hidden]) button")];

function find(list, none, words) {
  const wanted = words.toLowerCase().split(/\s+/);
  for (const row of list.querySelectorAll("li")) row.hidden = !wanted.every((one) => row.textContent.toLowerCase().includes(one));
  for (const part of list.querySelectorAll("section")) part.hidden = !part.querySelector("li:not([hidden])");
  none.hidden = buttons(list).length > 0;
}

function press(event, list, search) {
  const all = buttons(list);
  const at = all.indexOf(document.activeElement);
  if (event.key === "Enter" && event.target === search) all[0]?.click();
  else if (event.key === "ArrowDown") (all[at + 1] ?? all[0])?.focus();
  else if (event.key === "ArrowUp" && at >= 0) (all[at - 1] ?? search).focus();
  else return;
  event.preventDefault();
}

/**
 * Let a person choose.
 *
 * @param {string} title
 * @param {string} label Of the search box.
 * @param {Array<{title: string, items: Array<{value: string, title: string, text?: string, icon?: string}>}>} groups
 * @param {Node|null} [beside] What stands between the search box and the list.
 * @returns {Promise<string>} The value; empty where nothing was chosen.
 */
export function chosen(title, label, groups, beside = null) {
  const list = make("div", { class: "menu-list" }, ...groups.filter((one) => one.items.length).map(section));
  const none = make("p", { class: "dim", hidden: true, role: "status", text: "Nothing here is called that." });
  const search = make("input", { type: "search", autofocus: true, autocomplete: "off", "aria-label": label, placeholder: label, input: () => find(list, none, search.value) });
  const content = make("div", { class: "stack", keydown: (event) => press(event, list, search) }, search, beside, list, none);
  return opened(title, [content], [{ label: "Close", value: "" }]);
}
