/** @import {Timers} from "../types.js" */

/** Those of the platform. @type {Timers} */
export const TIMERS = {
  setTimeout: (run, ms) => globalThis.setTimeout(run, ms),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
  now: () => performance.now(),
};
