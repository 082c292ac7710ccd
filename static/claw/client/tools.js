/** @import {ToolCall, ToolCallDelta} from "../types.js" */

/** Calls of one model turn, and characters of a call's arguments: more is no use to anybody. */
const MAX_CALLS = 128;
const MAX_ARGUMENTS = 1024 * 1024;

/** @typedef {{id: string, name: string, arguments: string}} PartialCall `arguments`: JSON so far */
/** @typedef {{id: string, name: string, arguments: Record<string, any>}} CompleteCall */

/**
 * Puts tool calls together from their fragments (`deltas: true`). A call is complete when its
 * `tool_call` says so, never because the fragments happen to be JSON: a call without arguments has
 * none, and `1` becomes `12`.
 */
export function createToolCallAccumulator() {
  /** @type {Map<number, PartialCall>} */
  const calls = new Map();

  /** @param {ToolCallDelta} delta */
  const add = ({ index, id, name, arguments: fragment }) => {
    const call = calls.get(index) ?? { id: "", name: "", arguments: "" };
    if (id) call.id = id;
    if (name) call.name = name;
    if (call.arguments.length < MAX_ARGUMENTS) call.arguments += fragment ?? "";
    if (calls.has(index) || calls.size < MAX_CALLS) calls.set(index, call);
  };

  return {
    /**
     * Take the next event.
     * @param {ToolCallDelta | ToolCall} event
     * @returns {{complete: false} | {complete: true, toolCall: CompleteCall}}
     */
    feed(event) {
      if (event.type === "tool_call_delta") {
        add(event);
        return { complete: false };
      }
      for (const [index, { id }] of calls) if (id === event.id) calls.delete(index);
      const { id, name, arguments: args } = event;
      return { complete: true, toolCall: { id, name, arguments: args } };
    },

    /** The calls that are being written, by their index. */
    get pending() {
      return [...calls].sort(([one], [two]) => one - two).map(([, call]) => ({ ...call }));
    },

    /** Forget what has begun. */
    reset() {
      calls.clear();
    },
  };
}
