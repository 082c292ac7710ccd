/**
 * Tells when the browser has a network again, or somebody looks at the page again (after sleep, for
 * one), and when the network is gone. Returns what ends that. Where there is no page: nothing.
 * @param {{awake(): void, offline(): void}} listener
 */
export function watchPage({ awake, offline }) {
  if (typeof document === "undefined" || typeof addEventListener === "undefined") return () => {};
  const seen = () => document.visibilityState === "visible" && awake();
  addEventListener("online", awake);
  addEventListener("offline", offline);
  addEventListener("pageshow", seen);
  document.addEventListener("visibilitychange", seen);
  return () => {
    removeEventListener("online", awake);
    removeEventListener("offline", offline);
    removeEventListener("pageshow", seen);
    document.removeEventListener("visibilitychange", seen);
  };
}

/** Whether nobody looks at the page. */
export function hidden() {
  return typeof document !== "undefined" && document.visibilityState === "hidden";
}

/** Whether the browser says that there is no network. */
export function offline() {
  return typeof document !== "undefined" && globalThis.navigator?.onLine === false;
}
