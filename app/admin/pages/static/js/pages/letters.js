/** The list of dead letters: says how many are chosen, chooses all of the page, and asks only where any is. */
const form = document.querySelector("[data-many]");
if (form) {
  const boxes = [...form.querySelectorAll('input[type="checkbox"]')];
  const buttons = [...form.querySelectorAll('button[name="do"]')];
  const all = Object.assign(document.createElement("input"), { type: "checkbox", ariaLabel: "Choose all on this page" });
  if (boxes.length) form.querySelector("thead th").replaceChildren(all);
  const tell = () => {
    const chosen = boxes.filter((one) => one.checked).length;
    form.querySelector("[data-chosen]").textContent = chosen ? `${chosen} chosen` : "Choose some below";
    for (const one of buttons) one.disabled = chosen === 0;
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  };
  all.addEventListener("change", () => {
    for (const one of boxes) one.checked = all.checked;
    tell();
  });
  form.addEventListener("change", tell);
  addEventListener("pageshow", tell);
  tell();
}
