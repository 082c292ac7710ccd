// The element of docs/widget.md. Pages load the bundle of it, static/dist/chat.js.
export { ClawChat } from "./widget/chat.js";
