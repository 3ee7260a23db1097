/** Sentences of the log as a person reads them; the server says them in the same words (`app/admin/pages/log_words.py`). */
import { stepsWords, titled } from "./error-words.js";

const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);

/** Say one. */
export function inPersonWords(text) {
  const step = (number) => Number(number) + 1;
  const said = stepsWords(text)
    .replaceAll(/\bnot run, because step (\d{1,2}) failed and its on_error is stop\b/g, (_, number) =>
      `not carried out, because step ${step(number)} failed and the workflow ends there`)
    .replaceAll(/\bstep (\d{1,2}) \(([a-z_]+)\)/g, (_, number, type) => `step ${step(number)} (${titled(type)})`)
    .replaceAll(/\b([a-z][a-z_]*)(?:\[\d+\])?: line \d+: /g, "“$1” cannot be filled in: ")
    .replaceAll(/(?<![^\s(])([^\s(]+) is undefined\b/g, "there is no $1")
    .replaceAll(/\b([a-z][a-z_]*)\[\d+\]: /g, "“$1”: ")
    .replaceAll(/\b(\d+ of \d+) actions succeeded\b/g, "$1 steps succeeded")
    .replaceAll(/ failed: None\b/g, " failed")
    .replaceAll("stop_workflow ended it", "a step ended it, as the workflow says");
  return said.replace(/^[a-z]+(?=[,:;.!?]?(\s|$))/, capital);
}
