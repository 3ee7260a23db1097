/** The gallery: a template that is deleted goes ten seconds later, so that it can be kept; leaving deletes it at once. */
import { Problem, call } from "../api.js";
import { toast } from "../toasts.js";

const LASTS_MS = 10_000;
const KEY = "headrace-delete-template";

// On a template's page: the gallery is where it is missed, and where it is brought back.
for (const link of document.querySelectorAll("[data-delete-template]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, JSON.stringify({ id: link.dataset.deleteTemplate, name: link.dataset.name }));
    location.assign("/templates");
  });
}

const gallery = document.querySelector(".gallery, .empty");
const asked = gallery && sessionStorage.getItem(KEY);
if (asked) {
  sessionStorage.removeItem(KEY);
  deleteSoon(JSON.parse(asked));
}

/** Hide a template's card, and delete it unless the person says that it is to stay. */
function deleteSoon({ id, name }) {
  const card = [...document.querySelectorAll("[data-template]")].find((one) => one.dataset.template === id);
  const show = (shown) => {
    if (card) card.hidden = !shown;
  };
  const path = `/templates/${encodeURIComponent(id)}`;
  let waits = true;
  const leaving = () => {
    if (!waits) return;
    const token = document.querySelector('meta[name="csrf-token"]').content;
    fetch(`/api/v1${path}`, { method: "DELETE", headers: { "X-CSRF-Token": token }, keepalive: true });
  };
  const timer = setTimeout(async () => {
    waits = false;
    try {
      await call("DELETE", path);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      show(true);
      toast(`“${name}” is still there: ${error.message}`);
    }
  }, LASTS_MS);
  addEventListener("pagehide", leaving);
  show(false);
  toast(`“${name}” is deleted.`, () => {
    waits = false;
    clearTimeout(timer);
    show(true);
  });
}
