/**
 * `live-list`: a table of executions that grows at its top as they end, and holds still while somebody reads it.
 *
 * In it stand the table with its rows, a `template` of one row with places (`data-slot`), how statuses look (JSON), and
 * a line with `data-state` and a button `data-show`. `query` is the API's filter, `most` how many rows it keeps. What
 * comes is put in a few times a second at most, all at a time: however many come, the table is laid out as often.
 */
import { Problem, call } from "./api.js";
import { inPersonWords } from "./log-words.js";
import { said } from "./times.js";

const PATH = "/api/v1/executions/stream";
const EVERY_MS = 250;
const AGAIN_MS = 5000;
const took = (ms) =>
  ms === null ? "-" : ms < 1000 ? `${ms} ms` : ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;

class LiveList extends HTMLElement {
  #new = new Map(); // by id, the newest last
  #count = 0;
  #waits = false;
  #last = -Infinity;
  #over = false;
  #source = null;
  #missed = "";

  connectedCallback() {
    this.rows = this.querySelector("tbody");
    this.blank = this.querySelector("template").content.firstElementChild;
    this.looks = JSON.parse(this.querySelector('script[type="application/json"]').textContent);
    this.most = Number(this.getAttribute("most"));
    this.button = this.querySelector("[data-show]");
    this.button.addEventListener("click", () => this.#show(true));
    // A finger does not hover: only a mouse that rests on the list says that it is being read. On its way to a button
    // above the rows it still does, or that would move away from under it.
    this.addEventListener("pointerenter", (event) => (this.#over = event.pointerType === "mouse"));
    this.addEventListener("pointerleave", () => ((this.#over = false), this.#soon()));
    for (const name of ["change", "focusout"]) this.rows.addEventListener(name, () => this.#soon());
    this.onScroll = () => this.#count && this.#soon();
    this.onVisible = () => (document.hidden ? this.#leave() : this.#comeBack());
    addEventListener("scroll", this.onScroll, { passive: true });
    document.addEventListener("visibilitychange", this.onVisible);
    this.#follow();
  }

  disconnectedCallback() {
    removeEventListener("scroll", this.onScroll);
    document.removeEventListener("visibilitychange", this.onVisible);
    this.#leave();
  }

  #follow() {
    const source = (this.#source = new EventSource(`${PATH}?${this.getAttribute("query")}`));
    source.addEventListener("open", () => this.#live());
    source.addEventListener("execution", (event) => this.#take(JSON.parse(event.data)));
    source.addEventListener("reset", () => this.#load());
    source.addEventListener("error", () => {
      const gone = source.readyState === EventSource.CLOSED;
      this.#say(gone ? "off" : "away", gone ? "Not live: load the page again" : "Not live at the moment, trying again");
    });
  }

  // A page that nobody sees holds no connection: a browser has few of them for one host.
  #leave() {
    clearTimeout(this.again);
    this.#source?.close();
    this.#source = null;
  }

  async #comeBack() {
    if (this.#source) return;
    this.#follow();
    await this.#load();
  }

  /** Load what came while nobody told us. */
  async #load() {
    const query = this.getAttribute("query");
    clearTimeout(this.again);
    let found;
    try {
      found = (await call("GET", `/executions?${query ? `${query}&` : ""}limit=${this.most}`)).value.items;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#missed = `What came meanwhile could not be loaded, trying again: ${error.message}`;
      this.#live();
      this.again = setTimeout(() => this.#load(), AGAIN_MS);
      return;
    }
    this.#missed = "";
    if (this.#source?.readyState === EventSource.OPEN) this.#live();
    for (const row of found.reverse()) if (!this.#found(row.id)) this.#take(row);
  }

  #take(row) {
    if (!this.#new.has(row.id)) this.#count += 1;
    this.#new.delete(row.id);
    this.#new.set(row.id, row);
    if (this.#new.size > this.most) this.#new.delete(this.#new.keys().next().value);
    this.#soon();
  }

  #soon() {
    if (this.#waits) return;
    this.#waits = true;
    const shown = () => {
      this.#waits = false;
      this.#last = performance.now();
      this.#show(false);
    };
    setTimeout(() => requestAnimationFrame(shown), Math.max(0, this.#last + EVERY_MS - performance.now()));
  }

  /** Whether somebody reads the rows: rests on the list, has chosen some, marked text, or scrolled on. */
  get isRead() {
    const marked = getSelection();
    return (
      this.#over ||
      this.rows.contains(document.activeElement) ||
      this.rows.querySelector(":checked") !== null ||
      (!marked.isCollapsed && this.rows.contains(marked.anchorNode)) ||
      this.getBoundingClientRect().top < 0
    );
  }

  #show(asked) {
    if (asked || !this.isRead) this.#putIn(asked);
    this.button.hidden = this.#count === 0;
    this.button.textContent = `${this.#count.toLocaleString()} new, show`;
  }

  #putIn(asked) {
    if (!this.#count) return;
    const made = [...this.#new.values()].reverse().map((row) => this.#made(row));
    for (const one of made) this.#found(one.dataset.id)?.remove();
    this.rows.prepend(...made);
    for (const one of [...this.rows.rows].slice(this.most)) one.remove();
    this.#new.clear();
    this.#count = 0;
    this.querySelector(".table").hidden = false;
    this.querySelector("[data-empty]")?.remove();
    if (asked) this.scrollIntoView({ block: "start" });
    this.dispatchEvent(new CustomEvent("shown", { bubbles: true }));
  }

  #found(id) {
    return this.rows.querySelector(`tr[data-id="${CSS.escape(id)}"]`);
  }

  #made(row) {
    const one = this.blank.cloneNode(true);
    const slot = (name) => one.querySelector(`[data-slot="${name}"]`);
    const look = this.looks[row.status];
    Object.assign(one.dataset, { id: row.id, at: row.executed_at });
    slot("status").classList.add(look.tone);
    slot("status").querySelector("use").setAttribute("href", `#i-${look.icon}`);
    slot("word").textContent = look.word;
    Object.assign(slot("workflow"), { textContent: row.workflow_name, href: `/executions/${row.id}` });
    slot("error").textContent = inPersonWords(row.error ?? "");
    slot("entity").textContent = row.entity ?? "";
    slot("event").textContent = row.event_type ?? "";
    slot("took").textContent = took(row.duration_ms);
    Object.assign(slot("when"), { dateTime: row.executed_at, textContent: said(new Date(row.executed_at)) });
    const choose = slot("choose");
    if (choose && look.retryable) Object.assign(choose, { value: row.id, ariaLabel: `Choose ${row.workflow_name}` });
    else choose?.remove();
    return one;
  }

  #live() {
    this.#say(this.#missed ? "away" : "live", this.#missed || "Live");
  }

  #say(state, text) {
    const line = this.querySelector("[data-state]");
    line.dataset.state = state;
    line.textContent = text;
  }
}

customElements.define("live-list", LiveList);
