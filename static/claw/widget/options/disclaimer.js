import { make } from "../dom/elements.js";

/** @import {Parts} from "./options.js" */

/** A line below where one writes. @param {Parts} parts @param {string} text */
export default function disclaimer({ panel }, text) {
  panel.places.bottom.append(make("p", { class: "disclaimer", dir: "auto" }, text));
}
