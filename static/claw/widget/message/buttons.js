import { iconButton, make } from "../dom/elements.js";

/** @import {Message} from "../../types.js" */
/** @import {Strings} from "../locales/strings.js" */

const DAY_MS = 86_400_000;

/** The buttons of a message, and its time. @param {Strings} strings @param {Message} message @returns {HTMLElement[]} */
export function buttons(strings, message) {
  const { role, version = 1, versions } = message;
  const copy = iconButton("copy", strings.copy);
  if (role === "user") {
    const pages = version > 1 || versions ? [pager(strings, version, versions ?? version)] : [];
    return [...pages, copy, ...(versions ? [] : [iconButton("edit", strings.edit)])];
  }
  const said = message.createdAt ? [moment(strings, message.createdAt)] : [];
  // An earlier version is looked at, and no more.
  if (versions) return [copy, ...said];
  return [copy, iconButton("thumb-up", strings.good), iconButton("thumb-down", strings.bad), iconButton("retry", strings.retry), ...said];
}

/** When something was said, in full. @param {Strings} strings @param {string} createdAt */
export function fullMoment({ lang }, createdAt) {
  return new Date(createdAt).toLocaleString(lang, { dateStyle: "full", timeStyle: "short" });
}

/** @param {Strings} strings @param {string} createdAt */
function moment(strings, createdAt) {
  const when = new Date(createdAt);
  const today = Date.now() - when.getTime() < DAY_MS;
  const text = when.toLocaleString(strings.lang, today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
  return make("time", { datetime: createdAt, title: fullMoment(strings, createdAt) }, text);
}

/** `< 2/2 >`: which version of a question is shown. @param {Strings} strings @param {number} number @param {number} count */
function pager({ versions }, number, count) {
  const [earlier, later] = [iconButton("earlier", versions.earlier, "back"), iconButton("later", versions.later, "back-on")];
  earlier.toggleAttribute("disabled", number === 1);
  later.toggleAttribute("disabled", number === count);
  const label = versions.of.replace("{number}", String(number)).replace("{count}", String(count));
  return make("span", { class: "versions", role: "group", "aria-label": label }, earlier, `${number}/${count}`, later);
}
