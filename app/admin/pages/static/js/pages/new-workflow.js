/** A new workflow: a schedule begins in the viewer's zone; a file is read into the field, where it can be looked at. */
import { toast } from "../toasts.js";

const MOST_BYTES = 200_000;
const zone = document.querySelector("input[name=zone]");
if (zone) zone.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

const file = document.querySelector("input[data-into]");
if (file) {
  const field = document.getElementById(file.dataset.into);
  file.closest("label").hidden = false;
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    if (chosen.size > MOST_BYTES) {
      toast(`${chosen.name} is too large for this page; a few workflows at a time fit.`);
      return;
    }
    field.value = await chosen.text();
    field.focus();
  });
}
