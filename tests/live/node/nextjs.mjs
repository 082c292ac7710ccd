// The routes of examples/nextjs, asked by the transport that its page uses; no Next in between.
import { DefaultChatTransport, readUIMessageStream } from "ai";

const { FOLDER, MESSAGE } = process.env;
const { POST } = await import(`${FOLDER}/app/api/chat/route.js`);
const { GET } = await import(`${FOLDER}/app/api/chat/[id]/stream/route.js`);

/** A browser: it keeps the cookie. */
function browser() {
  let cookie = "";
  const statuses = [];
  const fetch = async (url, init = {}) => {
    const request = new Request(new URL(url, "http://page.test"), { ...init, headers: { ...init.headers, cookie } });
    const id = /\/api\/chat\/(.+)\/stream$/.exec(request.url)?.[1];
    const response = await (id ? GET(request, { params: Promise.resolve({ id }) }) : POST(request));
    cookie = response.headers.get("set-cookie").split(";")[0];
    statuses.push(response.status);
    return response;
  };
  return { transport: new DefaultChatTransport({ fetch }), statuses };
}

const user = { id: "user-1", role: "user", parts: [{ type: "text", text: MESSAGE }] };
const sent = { chatId: "chat", messages: [user], trigger: "submit-message" };

async function read(stream) {
  let latest;
  for await (const message of readUIMessageStream({ stream })) latest = message;
  return latest.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

const [ada, bob] = [browser(), browser()];
const answering = read(await ada.transport.sendMessages(sent));
const resumed = await ada.transport.reconnectToStream({ chatId: "chat" });
const foreign = await bob.transport.reconnectToStream({ chatId: "chat" });
const report = { answer: await answering, resumed: await read(resumed), foreign, statuses: bob.statuses };
console.log(JSON.stringify(report));
