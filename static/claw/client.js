// The client that docs/javascript.md describes; client.d.ts declares it.
export { ClawClient, ClawError } from "./client/client.js";
export { ReconnectingEventSource } from "./client/event_source.js";
