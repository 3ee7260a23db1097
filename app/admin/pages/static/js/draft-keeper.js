/** Keeps a draft on the server: 2 s after the last change, one save at a time, and nothing over what somebody else has saved. */
import { call, Problem } from "./api.js";
import { placeWords } from "./draft-parts.js";

const AFTER_MS = 2000;
const AGAIN_MS = 5000;
const MAY_PASS = (status) => status === 0 || status === 429 || status >= 500;

export class DraftKeeper {
  /**
   * @param {string} path The workflow's, below `/api/v1`.
   * @param {object|null} draft The API's draft, where there is one.
   * @param {object} calls `collect` returns what is to be saved, `told` is called when something of this changed, `conflict` when somebody else has saved.
   */
  constructor(path, draft, calls) {
    Object.assign(this, { path, ...calls, unsaved: false, running: null, failed: "", refused: [], stopped: false, turn: 0 });
    this.read(draft, draft ? `"${draft.version}"` : '"0"');
    document.addEventListener("signed-in", () => this.save());
  }

  /** Take what the server has: a draft and its number, or none. */
  read(draft, number) {
    this.draft = draft;
    this.number = number;
    this.stopped = false;
  }

  touched() {
    this.unsaved = true;
    this.turn += 1;
    this.#later(AFTER_MS);
    this.told();
  }

  #later(ms) {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => this.save(), ms);
  }

  /** Save what is not saved; says whether all is. */
  async save() {
    clearTimeout(this.timer);
    while (this.running) await this.running;
    if (!this.unsaved || this.stopped) return !this.unsaved;
    this.running = this.#put();
    this.told();
    await this.running;
    this.running = null;
    this.told();
    return !this.unsaved;
  }

  async #put() {
    const turn = this.turn;
    try {
      const { value, version } = await call("PUT", `${this.path}/draft`, { body: this.collect(), version: this.number });
      this.read(value, version);
      this.failed = "";
      this.refused = [];
      this.unsaved = turn !== this.turn;
      if (this.unsaved) this.#later(AFTER_MS);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.refused = [...error.fields].map(([path, message]) => ({ path, message }));
      this.failed = this.refused.length ? this.refused.map(({ path, message }) => `${placeWords(path)} ${message}`).join("; ") : error.message;
      this.stopped = error.status === 412;
      if (this.stopped) this.conflict();
      else if (MAY_PASS(error.status)) this.#later(AGAIN_MS);
    }
  }

  /** Let the draft go; what is not saved goes with it. */
  async discard() {
    clearTimeout(this.timer);
    await this.running;
    if (this.draft) await call("DELETE", `${this.path}/draft`, { version: this.number });
    this.unsaved = false;
    this.read(null, '"0"');
  }
}
