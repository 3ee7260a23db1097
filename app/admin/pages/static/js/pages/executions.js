/** The list of executions: followed live; times in the viewer's zone; what is chosen is counted; the next page begins after the last row. */
import "../live-list.js";

const MARK_CHARS = 12;
const form = document.querySelector("form.filters");

/** A field holds no zone: without this it is UTC, and its label says so. */
for (const field of form?.querySelectorAll('input[type="datetime-local"]') ?? []) {
  const label = field.closest("label").querySelector("[data-zone]");
  label.textContent = "";
  if (field.value) field.value = local(new Date(`${field.value}Z`));
  form.addEventListener("formdata", ({ formData }) => {
    const at = new Date(field.value);
    if (field.value && !Number.isNaN(at.getTime())) formData.set(field.name, at.toISOString());
  });
}

function local(at) {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const chosen = document.querySelector("#chosen");
if (chosen) {
  const button = chosen.querySelector("button");
  const whole = document.querySelector("[data-choose-all]");
  const boxes = () => [...document.querySelectorAll('input[form="chosen"][name="id"]')];
  const tell = () => {
    const count = boxes().filter((one) => one.checked).length;
    button.disabled = count === 0;
    button.textContent = count ? `${chosen.dataset.does} ${count}` : chosen.dataset.none;
    if (whole) Object.assign(whole, { checked: count > 0 && count === boxes().length, indeterminate: count > 0 && count < boxes().length });
  };
  whole?.addEventListener("change", () => {
    for (const one of boxes()) one.checked = whole.checked;
    tell();
  });
  if (whole) whole.hidden = false;
  document.addEventListener("change", tell);
  document.addEventListener("shown", tell);
  addEventListener("pageshow", tell);
  tell();
}

// Rows that newer ones have pushed out are where the next page begins.
document.addEventListener("shown", ({ target }) => {
  const last = target.rows.lastElementChild;
  const next = document.querySelector('.pager a[rel="next"]');
  if (!next || target.rows.rows.length < target.most) return;
  const path = new URL(next.href);
  // A cursor begins with a mark of its list, which stays.
  const place = btoa(`${last.dataset.at}|${last.dataset.id}`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  path.searchParams.set("cursor", path.searchParams.get("cursor").slice(0, MARK_CHARS) + place);
  next.href = path;
  next.closest("nav").hidden = next.hidden = false;
});
