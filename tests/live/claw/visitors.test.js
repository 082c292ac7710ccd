// Users of a page, whose tokens end in the middle of an answer.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import test from "node:test";
import { MANAGER_KEY, SERVER, TRANSPORTS, asking, connect, words } from "./setup.js";

const part = (value) => Buffer.from(value).toString("base64url");

const LEEWAY = 5; // seconds that a clock may be behind, for the server

/** A token of the customer's own server. */
function signed(secret, userId, seconds) {
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const claims = `${part('{"alg":"HS256","typ":"JWT"}')}.${part(JSON.stringify({ user_id: userId, exp }))}`;
  return `${claims}.${part(createHmac("sha256", secret).update(claims).digest())}`;
}

let secret;
test.before(async () => {
  const response = await fetch(`${SERVER}/api/agents/acme-agent/identity-secret`, {
    method: "POST",
    headers: { Authorization: `Bearer ${MANAGER_KEY}` },
  });
  ({ identitySecret: secret } = await response.json());
});

for (const transport of TRANSPORTS) {
  test(`${transport}: a token ends in the middle, and the same conversation goes on`, async () => {
    const asked = [];
    const getToken = ({ expired }) => {
      asked.push(expired);
      return signed(secret, `user-${transport}`, expired ? 600 : 2 - LEEWAY);
    };
    const client = connect({ transport, token: undefined, getToken });
    const conversation = client.conversation();
    let text = "";
    conversation.on("change", (change) => (text += change.kind === "append" ? change.text : ""));
    const answer = await conversation.send(asking(80, "delay=40"));
    assert.equal(answer.content, words(80));
    assert.equal(text, words(80));
    assert.deepEqual(asked, [false, true]);
    const again = client.conversation({ conversationId: conversation.id });
    await again.open();
    assert.equal(again.messages.length, 2);
    client.close();
  });
}
