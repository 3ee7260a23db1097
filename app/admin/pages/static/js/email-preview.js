/**
 * `<email-preview>`: an e-mail as the customer sees it. Property `sent`: `{to, subject, text, html}`; `say(text)` shows a sentence in its place.
 *
 * The HTML is shown in a frame that may do nothing, from a route of its own whose policy lets it do nothing either.
 */
import { Widget, make } from "./dom.js";

// What the form of the route takes, once its text is encoded.
const MOST = 200_000;
let count = 0;

/** Post HTML into a new frame: the first document of a frame makes no entry in the window's history. */
function framed(html) {
  const name = `mail-${++count}`;
  const frame = make("iframe", { name, class: "mail-frame", title: "The e-mail's HTML" });
  frame.setAttribute("sandbox", "");
  const field = (name, value) => make("textarea", { name, value });
  const form = make("form", { method: "post", action: "/previews/email", target: name, hidden: true },
    field("csrf_token", document.querySelector('meta[name="csrf-token"]').content), field("html", html));
  return { frame, form };
}

class EmailPreview extends Widget {
  #sent = null;
  #words = "";

  set sent(sent) {
    if (this.#sent && !this.#words && JSON.stringify(sent) === JSON.stringify(this.#sent)) return;
    this.#sent = sent;
    this.#words = "";
    this.again();
  }

  say(words) {
    this.#words = words;
    this.again();
  }

  build() {
    this.box = make("div", { class: "stack" });
    this.append(make("div", { class: "mail", role: "group", "aria-label": "As the customer sees it" }, make("h4", { text: "As the customer sees it" }), this.box));
  }

  show() {
    if (this.#words) this.box.replaceChildren(make("p", { class: "dim", text: this.#words }));
    else if (this.#sent) this.#mail(this.#sent);
  }

  #mail({ subject, text, html }) {
    const line = make("p", { class: "mail-subject" }, make("span", { class: "dim", text: "Subject: " }), make("strong", { text: subject || "(none)" }));
    const plain = text ? make("pre", { class: "mail-text", text }) : null;
    if (!html) return this.box.replaceChildren(line, plain ?? make("p", { class: "dim", text: "It has no text." }));
    if (encodeURIComponent(html).length > MOST) return this.box.replaceChildren(line, make("p", { class: "dim", text: "The HTML is too long to be shown here." }));
    const { frame, form } = framed(html);
    const folded = plain ? make("details", {}, make("summary", { text: "As plain text" }), plain) : make("p", { class: "dim small", text: "It has no plain text." });
    this.box.replaceChildren(line, frame, form, folded);
    form.submit();
    frame.addEventListener("load", () => form.remove(), { once: true });
  }
}

customElements.define("email-preview", EmailPreview);
