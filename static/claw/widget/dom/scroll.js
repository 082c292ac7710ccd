import { selectedIn } from "./selection.js";

/** A reader this near to the end (pixels) wants to see what comes. */
const NEAR = 100;
/** The page does not move for so long (milliseconds) after a gesture of the reader. */
const HOLD_MS = 500;

const GESTURES = ["wheel", "touchmove"];

/** Keeps the end in view while the reader is near it, and never moves a reader who is not. */
export class Follower {
  #scroller;
  #content;
  #onChange;
  #observer;
  /** Whether there is no end yet that a reader could want to see. */
  resting = false;
  #following = true;
  #top = 0;
  /** When the reader has moved it last. */
  #gesture = -HOLD_MS;
  /** The element that keeps its place in view until the reader scrolls. @type {{element: Element, top: number} | null} */
  #kept = null;

  /**
   * @param {Element} scroller
   * @param {Element} content what grows in it
   * @param {(following: boolean) => void} onChange the reader has left the end, or is back
   */
  constructor(scroller, content, onChange) {
    this.#scroller = scroller;
    this.#content = content;
    this.#onChange = onChange;
    this.#observer = new ResizeObserver(() => this.#resized());
  }

  /** Begin to look. */
  start() {
    this.#observer.observe(this.#scroller);
    this.#observer.observe(this.#content);
    this.#scroller.addEventListener("scroll", this.#scrolled, { passive: true });
    for (const type of GESTURES) this.#scroller.addEventListener(type, this.#moving, { passive: true });
  }

  stop() {
    this.#observer.disconnect();
    this.#scroller.removeEventListener("scroll", this.#scrolled);
    for (const type of GESTURES) this.#scroller.removeEventListener(type, this.#moving);
  }

  /** Go to the end, and follow it again. */
  jump() {
    this.#kept = null;
    this.#set(true);
    this.#toEnd();
  }

  /** Something comes before this element: the reader goes on seeing it where it is. @param {Element | null} element */
  keep(element) {
    this.#kept = element && { element, top: element.getBoundingClientRect().top };
  }

  #moving = () => {
    this.#gesture = performance.now();
  };

  #scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (this.#kept && this.#moved()) this.#kept = null; // by the reader
    const near = scrollHeight - clientHeight - scrollTop <= NEAR;
    // Only going up is leaving: the end may also have moved on by itself.
    if (near || scrollTop < this.#top) this.#set(near);
    this.#top = scrollTop;
  };

  #resized() {
    if (this.#kept?.element.isConnected) this.#scroller.scrollTop += this.#moved();
    else if (this.#following && !this.resting && !this.#held) this.#toEnd();
  }

  /** Whether the reader is on the way to another place, or marks something. */
  get #held() {
    return performance.now() - this.#gesture < HOLD_MS || selectedIn(this.#content);
  }

  /** By how many pixels what is kept stands elsewhere than it did. */
  #moved() {
    const { element, top } = /** @type {{element: Element, top: number}} */ (this.#kept);
    return Math.round(element.getBoundingClientRect().top - top);
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** @param {boolean} following */
  #set(following) {
    if (following === this.#following) return;
    this.#following = following;
    this.#onChange(following);
  }
}
