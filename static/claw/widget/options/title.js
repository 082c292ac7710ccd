/** @import {Parts} from "./options.js" */

/** How many answers were not seen, in the title of the tab. @param {Parts} parts */
export default function title({ host }) {
  let unseen = 0;
  let shown = "";
  const seeing = () => !document.hidden && host.hasAttribute("open");
  const show = () => {
    // A page with a router of its own writes another title meanwhile.
    const own = shown && document.title.startsWith(shown) ? document.title.slice(shown.length) : document.title;
    shown = unseen ? `(${unseen}) ` : "";
    document.title = shown + own;
  };
  const answered = () => {
    if (seeing()) return;
    unseen += 1;
    show();
  };
  const looked = () => {
    if (!unseen || !seeing()) return;
    unseen = 0;
    show();
  };
  const watched = new MutationObserver(looked);
  watched.observe(host, { attributeFilter: ["open"] });
  host.addEventListener("claw:message", answered);
  document.addEventListener("visibilitychange", looked);
  return () => {
    watched.disconnect();
    host.removeEventListener("claw:message", answered);
    document.removeEventListener("visibilitychange", looked);
    unseen = 0;
    show();
  };
}
