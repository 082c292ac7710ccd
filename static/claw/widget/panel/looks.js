/** @import {WidgetSettings} from "../../types.js" */
/** @import {Settings} from "../settings.js" */

/** The custom properties behind settings; numbers are pixels. @type {[keyof WidgetSettings, string][]} */
const PROPERTIES = [
  ["accent", "--claw-accent"],
  ["headerColor", "--claw-header"],
  ["width", "--claw-width"],
  ["height", "--claw-height"],
  ["radius", "--claw-radius"],
];
/** @type {Record<string, string>} */
const SCHEMES = { light: "light", dark: "dark", auto: "light dark" };

/** Colours, sizes and place of a chat, as the page and the agent want them. */
export class Looks {
  /** Of the shadow. The page's own custom properties come before it, but not before the element's attributes. */
  sheet = new CSSStyleSheet();
  #style;

  constructor() {
    this.sheet.insertRule(":host {}");
    this.#style = /** @type {CSSStyleRule} */ (this.sheet.cssRules[0]).style;
  }

  /** @param {HTMLElement} frame what holds button and panel @param {Settings} settings */
  dress(frame, settings) {
    for (const [name, property] of PROPERTIES) {
      const value = settings.get(name);
      const text = typeof value === "number" ? `${value}px` : String(value ?? "");
      this.#style.setProperty(property, text, settings.attribute(name) === undefined ? "" : "important");
    }
    this.#style.setProperty("color-scheme", SCHEMES[settings.get("theme") ?? ""] ?? "");
    const place = String(settings.get("position") ?? "");
    for (const side of ["left", "right"]) frame.classList.toggle(side, place.endsWith(side));
    frame.classList.toggle("top", place.startsWith("top"));
  }
}
