/** @import {WidgetSettings} from "../types.js" */

/** Those that only change how the chat looks: it need not begin anew. */
export const LOOKS = ["accent", "header-color", "height", "position", "radius", "theme", "width"];
/** The other values of attributes; the rest needs the property `settings`, or the agent. */
const OTHERS = "avatar bubble consent disclaimer follow-ups greetings hours launcher-icon launcher-text logo page-context page-data rating resizable slash-prompts sound texts transcript transcript-email unread-title";

/** The attributes of the element that are settings. */
export const ATTRIBUTES = [...LOOKS, ...OTHERS.split(" ")];

/**
 * The settings of a chat, by the page and the agent. An attribute of the element (`launcher-text`) comes
 * before the element's property `settings`, and that before the agent's field `widget`.
 */
export class Settings {
  /** The page's. @type {WidgetSettings} */
  page = {};
  /** The agent's, once it has greeted. @type {WidgetSettings} */
  agent = {};
  #host;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.#host = host;
  }

  /** @template {keyof WidgetSettings} Name @param {Name} name @returns {WidgetSettings[Name]} */
  get(name) {
    return this.attribute(name) ?? this.page[name] ?? this.agent[name];
  }

  /** The value of an attribute: true without a value, JSON where it is that, else the text. @param {string} name @returns {any} */
  attribute(name) {
    const text = this.#host.getAttribute(name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
    if (text === null) return undefined;
    if (!text) return true;
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
}
