// A client of AG-UI: the library checks every event, and their order.
import { HttpAgent, buildResumeArray, compactEvents, verifyEvents } from "@ag-ui/client";
import { from, lastValueFrom, toArray } from "rxjs";

const { URL: address, API_KEY, MESSAGE, THREAD, SCENARIO } = process.env;
const headers = { Authorization: `Bearer ${API_KEY}` };
const TOOL = {
  name: "get_weather",
  description: "The weather of a city.",
  parameters: { type: "object", properties: { city: { type: "string" } } },
};
const report = { runs: [] };
const all = [];

const agent = new HttpAgent({
  url: `${address}/a/acme-agent/api/ag-ui`,
  headers,
  threadId: THREAD,
  initialState: { mine: 1 },
  initialMessages: [{ id: "user-1", role: "user", content: MESSAGE }],
});

/** Runs the agent; `each` sees every event. */
async function run(parameters = {}, each = () => {}) {
  const seen = { types: [], text: "" };
  report.runs.push(seen);
  const subscriber = {
    onEvent({ event }) {
      all.push(event);
      seen.types.push(event.type);
      if (event.type === "TEXT_MESSAGE_CONTENT") seen.text += event.delta;
      if (event.outcome) seen.outcome = event.outcome;
      if (event.type === "RUN_ERROR") seen.error = event;
      each(event);
    },
  };
  try {
    await agent.runAgent(parameters, subscriber);
  } catch (error) {
    seen.failure = error.message;
  }
  return seen;
}

const scenarios = {
  async ask() {
    await run();
  },
  async tools() {
    const { outcome } = await run({ tools: [TOOL] });
    const [toolCallId] = outcome.pendingToolCallIds;
    agent.addMessage({ id: "tool-1", role: "tool", toolCallId, content: "20 degrees" });
    await run({ tools: [TOOL] });
  },
  async interrupt() {
    const { outcome } = await run();
    const answers = Object.fromEntries(
      outcome.interrupts.map(({ id, reason }) => [
        id,
        { status: "resolved", payload: reason === "question" ? "Monday" : { approve: true } },
      ]),
    );
    const resume = buildResumeArray(outcome.interrupts, answers);
    await run({ resume, runId: `${THREAD}-second` });
    await run({ resume, runId: `${THREAD}-third` });
  },
  async again() {
    const runId = `${THREAD}-run`;
    await run({ runId }, (event) => {
      if (report.runs[0].text.length > 10) agent.abortRun();
    });
    agent.setMessages([{ id: "user-1", role: "user", content: MESSAGE }]);
    await run({ runId });
  },
  async cancel() {
    const runId = `${THREAD}-run`;
    let told;
    await run({ runId }, () => {
      if (report.runs[0].text.length > 10 && !told) {
        const cancel = `${address}/api/runs/${runId}/cancel`;
        told = fetch(cancel, { method: "POST", headers });
      }
    });
    report.status = (await told).status;
    agent.addMessage({ id: "user-2", role: "user", content: "Hi [[upstream tokens=3]]" });
    await run();
  },
  async fail() {
    await run();
    agent.addMessage({ id: "user-2", role: "user", content: "Hi [[upstream tokens=3]]" });
    await run();
  },
};

await scenarios[SCENARIO]();
const kept = all.filter((event) => event.code !== "abort");
// A thread is stored and shown again: its order is good, also when it is made shorter.
for (const thread of SCENARIO === "again" ? [] : [kept, compactEvents(kept)]) {
  await lastValueFrom(from(thread).pipe(verifyEvents(), toArray()));
}
report.messages = agent.messages;
report.state = agent.state;
console.log(JSON.stringify(report));
