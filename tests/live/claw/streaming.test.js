// Pipelines, in the names of the documentation that such clients are known from.
import assert from "node:assert/strict";
import test from "node:test";
import { ORGANIZATION_KEY, SERVER, connect } from "./setup.js";

const url = new URL(SERVER).origin;

test("a pipeline is made, started, given items and looked at", async () => {
  const client = connect({ url, token: ORGANIZATION_KEY, transport: "sse" });
  const { streaming } = client;
  const pipeline = await streaming.createPipeline({
    name: "agent-events-to-analytics",
    source: { type: "agent_execution", agentIds: ["agent-123", "agent-456"] },
    transforms: [
      { type: "filter", config: { field: "status", operator: "eq", value: "completed" } },
      {
        type: "map",
        config: {
          expression: {
            event_type: '"agent_completion"',
            agent_id: "agentId",
            tokens: "tokenUsage.total",
            cost: "cost",
            timestamp: "completedAt",
          },
        },
      },
    ],
    destination: { type: "database", config: { table: "agent_metrics" } },
  });
  assert.equal(pipeline.status, "created");
  assert.equal((await streaming.startPipeline(pipeline.id)).status, "running");

  const item = { status: "completed", agentId: "agent-123", tokenUsage: { total: 7 }, cost: 0.5 };
  const tried = await streaming.testPipeline(pipeline.id, [item, { status: "failed" }]);
  assert.deepEqual(tried.output.map((/** @type {any} */ { tokens }) => tokens), [7]);
  assert.deepEqual(await streaming.processItem(pipeline.id, item), { accepted: 1 });
  assert.deepEqual(await streaming.processBatch(pipeline.id, [item, item]), { accepted: 2 });
  let metrics = await streaming.getPipelineMetrics(pipeline.id);
  while (metrics.itemsProcessed < 3) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    metrics = await streaming.getPipelineMetrics(pipeline.id);
  }
  assert.equal(metrics.itemsFailed, 0);
  assert.ok(metrics.latency.avg >= 0 && metrics.backpressure === 0);

  const checkpoint = await streaming.createCheckpoint(pipeline.id);
  assert.equal((await streaming.pausePipeline(pipeline.id)).status, "paused");
  assert.equal((await streaming.restoreCheckpoint(pipeline.id, checkpoint.id)).id, pipeline.id);
  assert.equal((await streaming.resumePipeline(pipeline.id)).status, "running");
  assert.equal((await streaming.getPipelineHealth(pipeline.id)).status, "healthy");
  assert.deepEqual((await streaming.listFailures(pipeline.id)).failures, []);
  assert.equal((await streaming.stopPipeline(pipeline.id)).status, "stopped");
  assert.ok((await streaming.listPipelines()).pipelines.some(({ id }) => id === pipeline.id));
  await streaming.deletePipeline(pipeline.id);
  client.close();
});
