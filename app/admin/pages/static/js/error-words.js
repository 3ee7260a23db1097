/** Why a step failed, in the words of its form (`error_words.py` says the same). */
import { spoken } from "./event-fields.js";
import { LACKING, NOBODY, STEPS, TITLES } from "./step-titles.js";

const STEP = /\bstep (\d{1,4}) \(([a-z_]+)\)( failed| was skipped)?: ([^]*?)(?=; (?:step \d|stop_workflow )|\.?$)/g;
const FIELD = /^([a-z_]+)((?:\[\d+\]|\.[^\s:[]+)*): (?:line (\d+): )?([^]*)$/;
const UNDEFINED = /^([\p{L}\p{N}_.]+) is undefined$/u;
const PREDICATE = /^(is|has|holds|must|cannot|can't|renders|takes|nests) /;
const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);

function said(type, error) {
  const [, field, rest, line, why] = FIELD.exec(error) ?? [];
  const title = TITLES[type]?.[field];
  if (!title) return error;
  const below = rest.replaceAll(/\[\d+\]/g, "").replace(/^\./, "");
  const where = below ? `${title}, ${below}` : title;
  const missing = UNDEFINED.exec(why)?.[1];
  if (missing) return LACKING[missing] ?? `${where}: there is no ${spoken(missing)}`;
  if (why === "no recipient") return NOBODY;
  const at = line && line !== "1" ? `${where}, line ${line}` : where;
  return PREDICATE.test(why) ? `${at} ${why}` : `${at}: ${why}`;
}

/** Say the error of a step: what is missing, or which of its fields is wrong, by its title. */
export const errorWords = (type, error) => capital(said(type, error));

/** What a type of step does; of an unknown one its name. */
export const titled = (type) => STEPS[type] ?? capital(type.replaceAll("_", " "));

/** Say a sentence about steps: `step 0 (send_email): …` is step 1, which sends an e-mail. */
export const stepsWords = (text) =>
  text.replaceAll(STEP, (_, at, type, verb, error) => `step ${Number(at) + 1} (${titled(type)})${verb ?? ""}: ${said(type, error)}`);

/** Why a text cannot be filled in: `line 1: customer.phone is undefined` is that there is no phone number. */
export function unfilledWords(text) {
  const why = text.replace(/^(text|html|subject): /, "").replace(/^line 1: /, "");
  const missing = UNDEFINED.exec(why)?.[1];
  return missing ? (LACKING[missing] ?? `there is no ${spoken(missing)}`) : why;
}
