import { followViewport } from "./viewport.js";

/** Matches screens without room beside the chat, where it takes the whole screen. */
const NARROW = matchMedia("(max-width: 480px), (max-height: 448px)");

/**
 * Where a floating chat stands: in the browser's top layer, which nothing on the page displaces or
 * covers. With room it stands beside the page; on a small screen it is a dialog over a page that is
 * inert and does not scroll.
 */
export class Place {
  #panel;
  #launcher;
  #onLeave;
  #open = false;
  /** Undoes what the dialog does to the page. */
  #release = () => {};

  /**
   * @param {HTMLDialogElement} panel
   * @param {HTMLElement} launcher
   * @param {() => void} onLeave the visitor has closed the dialog with a gesture of their device
   */
  constructor(panel, launcher, onLeave) {
    this.#panel = panel;
    this.#launcher = launcher;
    this.#onLeave = onLeave;
    for (const element of [panel, launcher]) element.setAttribute("popover", "manual");
    panel.addEventListener("cancel", this.#cancelled);
    panel.addEventListener("close", this.#closed);
  }

  /** Whether the chat would take the whole screen. */
  static get narrow() {
    return NARROW.matches;
  }

  /** Begin, once both are in the page. */
  start() {
    this.#launcher.showPopover();
    NARROW.addEventListener("change", this.#moved);
  }

  stop() {
    NARROW.removeEventListener("change", this.#moved);
    this.#hide();
  }

  /** @param {boolean} open */
  set open(open) {
    if (open === this.#open || !this.#panel.isConnected) return;
    if (open) this.#show();
    else this.#hide();
  }

  #show() {
    this.#open = true;
    if (!Place.narrow) return this.#panel.showPopover();
    this.#panel.showModal();
    this.#panel.focus(); // and not what one writes in, which would bring up the keyboard
    const { style } = document.documentElement;
    const [overflow, priority] = [style.overflow, style.getPropertyPriority("overflow")];
    style.setProperty("overflow", "hidden", "important"); // whatever the page says
    const unfollow = followViewport(this.#panel);
    this.#release = () => {
      style.setProperty("overflow", overflow, priority);
      unfollow();
    };
  }

  #hide() {
    this.#open = false;
    this.#release();
    this.#release = () => {};
    if (this.#panel.open) this.#panel.close();
    else if (this.#panel.isConnected) this.#panel.hidePopover();
  }

  #moved = () => {
    if (!this.#open) return;
    this.#hide();
    this.#show();
  };

  #cancelled = (/** @type {Event} */ event) => {
    event.preventDefault();
    this.#onLeave();
  };

  #closed = () => {
    if (this.#open && !this.#panel.matches(":popover-open, [open]")) this.#onLeave();
  };
}
