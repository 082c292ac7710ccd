import { icon, make } from "../dom/elements.js";
import { OUTLINES } from "./icons.js";

/** @import {Parts} from "./options.js" */

/** No smaller than this, in pixels. */
const LEAST = { width: 320, height: 400 };

/** A floating chat may be as large as its reader wants it: all of the window, or by its corner. @param {Parts} parts */
export default function resizing({ host, frame, panel, visit }) {
  if (!host.floating) return;
  const label = panel.strings.enlarge;
  const button = make("button", { type: "button", class: "quiet enlarge", title: label, "aria-label": label }, icon("expand", OUTLINES.expand));
  const show = (/** @type {boolean} */ large) => {
    frame.classList.toggle("large", large);
    button.setAttribute("aria-pressed", String(large));
  };
  button.addEventListener("click", () => {
    show(!frame.classList.contains("large"));
    visit.storage.set("large", frame.classList.contains("large") || undefined);
  });
  show(!!visit.storage.get("large"));
  panel.header.tools.prepend(button);
  const corner = make("div", { class: "corner", "aria-hidden": "true" });
  corner.addEventListener("pointerdown", (event) => drag(event, panel.element, corner, visit.storage));
  panel.element.append(corner);
  size(panel.element, visit.storage.get("size"));
}

/** @param {PointerEvent} event @param {HTMLElement} panel @param {HTMLElement} corner @param {Parts["visit"]["storage"]} storage */
function drag(event, panel, corner, storage) {
  event.preventDefault();
  corner.setPointerCapture(event.pointerId);
  const from = { x: event.clientX, y: event.clientY, width: panel.offsetWidth, height: panel.offsetHeight };
  // Away from the edges that it stands at.
  const box = panel.getBoundingClientRect();
  const [across, down] = [from.x < box.left + box.width / 2 ? -1 : 1, from.y < box.top + box.height / 2 ? -1 : 1];
  /** @type {{width: number, height: number} | undefined} */
  let now;
  const move = (/** @type {PointerEvent} */ { clientX, clientY }) => {
    now = { width: from.width + across * (clientX - from.x), height: from.height + down * (clientY - from.y) };
    size(panel, now);
  };
  const end = () => {
    corner.removeEventListener("pointermove", move);
    if (now) storage.set("size", now);
  };
  corner.addEventListener("pointermove", move);
  corner.addEventListener("lostpointercapture", end, { once: true });
}

/** @param {HTMLElement} panel @param {{width: number, height: number} | undefined} size */
function size(panel, size) {
  if (!size) return;
  panel.style.setProperty("--claw-width", `${Math.max(LEAST.width, size.width)}px`);
  panel.style.setProperty("--claw-height", `${Math.max(LEAST.height, size.height)}px`);
}
