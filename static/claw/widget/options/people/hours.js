import { make } from "../../dom/elements.js";
import { nextFrame } from "../../dom/frame.js";
import { contactForm } from "./contact.js";

/** @import {Hours} from "../../../types.js" */
/** @import {Parts} from "../options.js" */

const MINUTE_MS = 60_000;
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** Outside of office hours: a note, and a way to leave a message. @param {Parts} parts @param {Hours} hours */
export default function hours(parts, hours) {
  const { panel } = parts;
  const strings = panel.strings.hours;
  const element = make("section", { class: "hours", "aria-label": strings.title, hidden: true });
  element.append(make("p", { dir: "auto" }, hours.text ?? strings.closed));
  if (hours.form) element.append(make("details", {}, make("summary", {}, strings.write), contactForm(parts, hours)));
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
