import { ask, conversationOf, ownerOf } from "../../agent.js";

/** The answer to the last message of a chat. @param {Request} request */
export async function POST(request) {
  const { id, message, messages = [], trigger, messageId } = await request.json();
  const owner = ownerOf(request);
  const asked = { id: conversationOf(owner, id), message: message ?? messages.at(-1), trigger, messageId };
  return ask("", owner, { method: "POST", body: JSON.stringify(asked), signal: request.signal });
}
