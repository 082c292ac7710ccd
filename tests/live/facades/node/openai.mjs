// What programs with the library `openai` do; the report is what they see.
import OpenAI from "openai";

const { URL: address, API_KEY, MESSAGE, LONG, CALLING } = process.env;
const client = new OpenAI({ apiKey: API_KEY, baseURL: `${address}/v1`, maxRetries: 0 });
const model = "acme-agent";
const asked = (content) => ({ model, messages: [{ role: "user", content }] });
const report = {};

report.models = (await client.models.list()).data.map(({ id }) => id);

const whole = await client.chat.completions.create(asked(MESSAGE));
report.whole = whole.choices[0].message.content;

report.streamed = "";
for await (const chunk of await client.chat.completions.create({ ...asked(MESSAGE), stream: true })) {
  report.streamed += chunk.choices[0]?.delta.content ?? "";
}

const weather = {
  name: "get_weather",
  description: "The weather of a city.",
  parameters: { type: "object", properties: { city: { type: "string" } } },
  parse: JSON.parse,
  function: ({ city }) => `20 degrees in ${city}`,
};
const runner = client.chat.completions.runTools({ ...asked(CALLING), tools: [{ type: "function", function: weather }] });
report.tools = await runner.finalContent();

const response = client.responses.stream({ model, input: MESSAGE });
report.events = [];
for await (const event of response) report.events.push(event.type);
const first = await response.finalResponse();
report.response = first.output_text;
const second = await client.responses.create({ model, input: MESSAGE, previous_response_id: first.id });
report.next = second.output_text;

const stream = await client.responses.create({ model, input: LONG, stream: true });
for await (const event of stream) if (event.type === "response.output_text.delta") break;
stream.controller.abort();

for (const [name, call] of Object.entries({
  parameter: () => client.chat.completions.create({ ...asked(MESSAGE), n: 2 }),
  model: () => client.chat.completions.create({ ...asked(MESSAGE), model: "nobody" }),
  key: () => client.withOptions({ apiKey: "claw_live_nobody" }).chat.completions.create(asked(MESSAGE)),
})) {
  report[name] = await call().catch((error) => [error.constructor.name, error.code, error.param ?? null]);
}
console.log(JSON.stringify(report));
