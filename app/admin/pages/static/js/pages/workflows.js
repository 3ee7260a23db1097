/** The list of workflows: switches that do not load the page again, a box that ticks all, and how many are ticked. */
import { Problem, call } from "../api.js";
import { shortcut } from "../shortcuts.js";
import { toast } from "../toasts.js";

shortcut("n", "New workflow", () => location.assign("/workflows/new"));

async function turn(form, on) {
  const button = form.querySelector("[role=switch]");
  button.disabled = true;
  try {
    await call("POST", `/workflows/${form.dataset.switch}/${on ? "activate" : "deactivate"}`);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // The page that the form leads to says why, and what to do about it.
    button.disabled = false;
    if (error.status === 0) return toast(error.message);
    return form.submit();
  }
  button.disabled = false;
  button.setAttribute("aria-checked", String(on));
  button.nextElementSibling.textContent = on ? "On" : "Off";
  form.elements.do.value = on ? "deactivate" : "activate";
  toast(`“${form.dataset.name}” is ${on ? "on" : "off"}.`, () => turn(form, !on));
}

for (const form of document.querySelectorAll("form[data-switch]")) {
  form.addEventListener("submit", (event) => {
    // One that holds no steps is switched on by no click: the server knows, and says so.
    if ("empty" in form.dataset) return;
    event.preventDefault();
    turn(form, form.elements.do.value === "activate");
  });
}

const boxes = [...document.querySelectorAll("input[name=ids][form=many]")];
const all = document.querySelector("[data-all]");
const count = document.querySelector("[data-count]");

function told() {
  const ticked = boxes.filter((box) => box.checked).length;
  all.checked = ticked === boxes.length;
  all.indeterminate = ticked > 0 && ticked < boxes.length;
  count.textContent = ticked ? `${ticked} ticked:` : "With those that are ticked:";
}

if (all) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    told();
  });
  for (const box of boxes) box.addEventListener("change", told);
  // What was ticked is ticked still where one comes back to the page.
  addEventListener("pageshow", told);
}
