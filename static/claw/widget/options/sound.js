import { OUTLINES } from "./icons.js";
import { addToMenu } from "./menu.js";

/** @import {Parts} from "./options.js" */

/** Two notes, in hertz, and how long each is heard, in seconds. */
const NOTES = [660, 880];
const SECONDS = 0.12;

/** A sound when an answer is there that nobody saw coming. @param {Parts} parts */
export default function sound({ host, panel, visit }) {
  /** @type {AudioContext | null} */
  let audio = null;
  // Browsers let no page sound that was not touched, and warn of it.
  const touched = () => (audio ??= new AudioContext());
  const answered = () => {
    if (audio && !visit.storage.get("mute") && (document.hidden || !host.hasAttribute("open"))) play(audio);
  };
  for (const type of ["pointerdown", "keydown"]) host.addEventListener(type, touched, { once: true });
  host.addEventListener("claw:message", answered);
  addToMenu(panel, {
    ...{ label: panel.strings.sound, outline: OUTLINES.bell, checked: !visit.storage.get("mute") },
    act: () => visit.storage.set("mute", visit.storage.get("mute") ? undefined : true),
  });
  return () => {
    host.removeEventListener("claw:message", answered);
    for (const type of ["pointerdown", "keydown"]) host.removeEventListener(type, touched);
    void audio?.close();
  };
}

/** @param {AudioContext} audio */
function play(audio) {
  NOTES.forEach((frequency, index) => {
    const begin = audio.currentTime + index * SECONDS;
    const gain = new GainNode(audio, { gain: 0 });
    gain.gain.linearRampToValueAtTime(0.08, begin + 0.01);
    gain.gain.linearRampToValueAtTime(0, begin + SECONDS);
    const note = new OscillatorNode(audio, { frequency });
    note.connect(gain).connect(audio.destination);
    note.start(begin);
    note.stop(begin + SECONDS);
  });
}
