/** How often the clock is looked at, and by how much more it has moved on if it slept. Milliseconds. */
const LOOK = 2000;
const SLEPT = 5000;

/**
 * Tells when the browser has a network again, somebody looks at the page again, or the computer has
 * slept, when the network is gone, and when the page is left. Returns what ends that. Where there is
 * no page: nothing.
 * @param {{awake(): void, offline(): void, leaving(): void}} listener
 */
export function watchPage({ awake, offline, leaving }) {
  if (typeof document === "undefined" || typeof addEventListener === "undefined") return () => {};
  const seen = () => document.visibilityState === "visible" && awake();
  addEventListener("online", awake);
  addEventListener("offline", offline);
  addEventListener("pageshow", seen);
  addEventListener("pagehide", leaving);
  document.addEventListener("visibilitychange", seen);
  const forget = watchClock(seen);
  return () => {
    removeEventListener("online", awake);
    removeEventListener("offline", offline);
    removeEventListener("pageshow", seen);
    removeEventListener("pagehide", leaving);
    document.removeEventListener("visibilitychange", seen);
    forget();
  };
}

/** No event tells of sleep, but timers stand still in it, and the clock does not. @param {() => void} slept */
function watchClock(slept) {
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    if (now - last > LOOK + SLEPT) slept();
    last = now;
  }, LOOK);
  return () => clearInterval(timer);
}

/** Whether nobody looks at the page. */
export function hidden() {
  return typeof document !== "undefined" && document.visibilityState === "hidden";
}

/** Whether the browser says that there is no network. */
export function offline() {
  return typeof document !== "undefined" && globalThis.navigator?.onLine === false;
}
