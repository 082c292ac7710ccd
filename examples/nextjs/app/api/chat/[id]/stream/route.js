import { ask, conversationOf, ownerOf } from "../../../../agent.js";

/** The answer that is being made, from its beginning; 204 if there is none. @param {Request} request @param {{params: Promise<{id: string}>}} context */
export async function GET(request, { params }) {
  const owner = ownerOf(request);
  const name = encodeURIComponent(conversationOf(owner, (await params).id));
  return ask(`/${name}/stream`, owner, { signal: request.signal });
}
