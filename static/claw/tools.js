// The accumulator of docs/javascript.md.
export { createToolCallAccumulator } from "./client/tools.js";
