/** `live-queue`: keeps what the server has rendered of the queue as it is now, from the stream of how it stands. */
import { said } from "./times.js";

const BEHIND_S = 30;
const AGAIN_MS = 5_000;
const numbers = new Intl.NumberFormat();

/** Say seconds as a person does. */
function lasting(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`;
}

const known = (value, words = (one) => numbers.format(one)) => (value === null || value === undefined ? "–" : words(value));

function put(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

class LiveQueue extends HTMLElement {
  connectedCallback() {
    this.watch = () => (document.hidden ? this.close() : this.open());
    document.addEventListener("visibilitychange", this.watch);
    this.watch();
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.watch);
    this.close();
  }

  open() {
    if (this.stream) return;
    this.stream = new EventSource("/api/v1/queue/stream");
    this.stream.addEventListener("queue", (event) => this.show(JSON.parse(event.data)));
    this.stream.addEventListener("error", (event) => {
      this.close();
      const why = event.data ? JSON.parse(event.data).detail : "The connection broke";
      this.tell(`Not live: ${why}. It is tried again in a few seconds.`);
      this.again = setTimeout(() => this.watch(), AGAIN_MS);
    });
  }

  close() {
    clearTimeout(this.again);
    this.stream?.close();
    this.stream = null;
  }

  tell(text) {
    put(this.querySelector("[data-live]"), text);
  }

  /** Show how the queue stands. */
  show(view) {
    for (const node of this.querySelectorAll("[data-figure]")) {
      const name = node.dataset.figure;
      put(node, known(view[name], name === "outbox_oldest_s" ? lasting : undefined));
    }
    const behind = view.roles.filter((role) => this.showRole(role)).length;
    this.list("breakers", view.breakers ?? [], (row, one) => {
      put(row.destination, one.destination);
      put(row.whose, one.owner ? "One owner's" : "Everybody's");
      put(row.reason, one.reason);
      put(row.waiting, numbers.format(one.waiting));
      const at = Object.assign(document.createElement("time"), { dateTime: one.until, tabIndex: 0, textContent: said(new Date(one.until)) });
      row.until.replaceChildren(one.half_open ? "now" : at);
    });
    const aside = (view.set_aside ?? []).reduce((sum, one) => sum + one.count, 0);
    const late = view.outbox_oldest_s >= BEHIND_S ? 1 : 0;
    this.parts({ behind, outbox: late, breakers: view.breakers?.length ?? 0, set_aside: aside, dead_letters: view.dead_letters ?? 0 });
    this.tell("Live: it changes as the queue does.");
  }

  /** Show a role; says whether it is behind, or has no process. */
  showRole(role) {
    const row = [...this.querySelectorAll("[data-role]")].find((one) => one.dataset.role === role.role);
    const state = role.processes === 0 ? "absent" : role.depth > 0 && role.oldest_s >= BEHIND_S ? "behind" : "fine";
    if (row) {
      const cell = (name) => row.querySelector(`[data-cell="${name}"]`);
      put(cell("depth"), numbers.format(role.depth));
      put(cell("rate"), known(role.rate));
      put(cell("in_flight"), known(role.in_flight));
      put(cell("oldest_s"), known(role.oldest_s, lasting));
      for (const one of row.querySelectorAll("[data-state]")) one.hidden = one.dataset.state !== state;
    }
    return state !== "fine";
  }

  /** Show a list anew, each row by `fill`, which gets its cells by name. */
  list(name, items, fill) {
    const table = this.querySelector(`[data-list="${name}"]`);
    const rows = items.map((item) => {
      const row = table.querySelector("template").content.firstElementChild.cloneNode(true);
      fill(Object.fromEntries([...row.querySelectorAll("[data-cell]")].map((cell) => [cell.dataset.cell, cell])), item);
      return row;
    });
    table.querySelector("tbody").replaceChildren(...rows);
    table.hidden = items.length === 0;
    this.querySelector(`[data-none="${name}"]`).hidden = items.length > 0;
  }

  /** Say the sentence on top: a part is there where it counts anything. */
  parts(counts) {
    for (const [name, count] of Object.entries(counts)) {
      const part = this.querySelector(`[data-part="${name}"]`);
      const words = count === 1 ? part.dataset.one : part.dataset.several.replace("#", numbers.format(count));
      put(part.querySelector("a"), words[0].toUpperCase() + words.slice(1));
      part.hidden = count === 0;
    }
    this.querySelector('[data-part="fine"]').hidden = Object.values(counts).some((count) => count > 0);
  }
}

customElements.define("live-queue", LiveQueue);
