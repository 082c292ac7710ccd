import { make } from "../dom/elements.js";
import { nextFrame } from "../dom/frame.js";

/** @import {Hours} from "../../types.js" */
/** @import {Strings} from "../locales/strings.js" */
/** @import {Parts} from "./options.js" */

const MINUTE_MS = 60_000;
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/** As much as a mail program takes in an address, in characters. */
const LONGEST = 1500;

/** Outside of office hours: a note, and a way to leave a message. @param {Parts} parts @param {Hours} hours */
export default function hours({ panel, tell }, hours) {
  const strings = panel.strings.hours;
  const element = make("section", { class: "hours", "aria-label": strings.title, hidden: true });
  element.append(make("p", { dir: "auto" }, hours.text ?? strings.closed));
  if (hours.form) element.append(make("details", {}, make("summary", {}, strings.write), contactForm(strings, hours, tell)));
  else if (hours.email) element.append(make("a", { href: `mailto:${hours.email}` }, strings.write));
  panel.places.top.append(element);
  const look = () => nextFrame(() => (element.hidden = isOpen(hours, new Date())));
  look();
  const timer = setInterval(look, MINUTE_MS);
  return () => clearInterval(timer);
}

/** Whether somebody is there at that moment. @param {Hours} hours @param {Date} moment */
export function isOpen({ open, timeZone }, moment) {
  const format = new Intl.DateTimeFormat("en", { timeZone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const parts = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, value]));
  const [day, time] = [DAYS.indexOf(parts.weekday) + 1, `${parts.hour}:${parts.minute}`];
  return open.some(({ days, opens, closes }) => {
    // An hour of closing before the hour of opening is on the next day.
    if (opens < closes) return days.includes(day) && opens <= time && time < closes;
    return (days.includes(day) && opens <= time) || (days.includes(day === 1 ? 7 : day - 1) && time < closes);
  });
}

/** A message for the people behind the chat: the page gets it, or else a mail program. @param {Strings["hours"]} strings @param {Hours} hours @param {Parts["tell"]} tell */
function contactForm(strings, { email }, tell) {
  const name = field("input", strings.name, { name: "name", autocomplete: "name" });
  const from = field("input", strings.email, { name: "email", type: "email", autocomplete: "email", required: true });
  const message = field("textarea", strings.message, { name: "message", rows: 3, required: true, maxlength: LONGEST });
  const form = /** @type {HTMLFormElement} */ (make("form", {}, name, from, message, make("button", { type: "submit" }, strings.send)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = Object.fromEntries(new FormData(form));
    if (tell("claw:contact", said) && email) location.href = mail(email, said);
    const thanks = make("p", { role: "status", tabindex: -1 }, strings.thanks);
    form.replaceWith(thanks);
    thanks.focus();
  });
  return form;
}

/** @param {string} tag @param {string} label @param {Record<string, string | number | boolean>} attributes */
function field(tag, label, attributes) {
  return make("label", {}, label, make(tag, { dir: "auto", maxlength: 200, ...attributes }));
}

/** @param {string} email @param {Record<string, FormDataEntryValue>} said */
function mail(email, { name, email: from, message }) {
  return `mailto:${email}?body=${encodeURIComponent(`${message}\n\n${name} ${from}`)}`;
}
