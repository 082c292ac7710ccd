import { uuid } from "./random.js";

/** @import {Api} from "./api.js" */

/**
 * @typedef {Record<string, any> & {id: string, status: string}} Pipeline See docs/pipelines.md
 * @typedef {Record<string, any> & {itemsProcessed: number, itemsFailed: number, throughput: number,
 *   backpressure: number, latency: {avg: number, p50: number, p95: number, max: number}}} PipelineMetrics
 * @typedef {{before?: string, limit?: number}} PageQuery
 */

/** The organisation's pipelines, see docs/pipelines.md. */
export class Streaming {
  #api;

  /** @param {() => Api} api */
  constructor(api) {
    this.#api = api;
  }

  /** @param {Record<string, any> & {name: string}} fields @returns {Promise<Pipeline>} */
  createPipeline(fields) {
    return this.#post("", fields);
  }

  /** @param {PageQuery} [query] @returns {Promise<{pipelines: Pipeline[], nextCursor: string | null}>} */
  listPipelines(query) {
    return this.#json("GET", "", { query });
  }

  /** @param {string} id @returns {Promise<Pipeline>} */
  getPipeline(id) {
    return this.#json("GET", of(id));
  }

  /** A new version of it. @param {string} id @param {Record<string, any>} fields @returns {Promise<Pipeline>} */
  updatePipeline(id, fields) {
    return this.#json("PATCH", of(id), { body: fields });
  }

  /** @param {string} id @returns {Promise<null>} */
  deletePipeline(id) {
    return this.#json("DELETE", of(id));
  }

  /** @param {string} id @returns {Promise<Pipeline>} */
  startPipeline(id) {
    return this.#post(`${of(id)}/start`);
  }

  /** It keeps what it holds. @param {string} id @returns {Promise<Pipeline>} */
  pausePipeline(id) {
    return this.#post(`${of(id)}/pause`);
  }

  /** @param {string} id @returns {Promise<Pipeline>} */
  resumePipeline(id) {
    return this.#post(`${of(id)}/resume`);
  }

  /** It delivers what it holds. @param {string} id @returns {Promise<Pipeline>} */
  stopPipeline(id) {
    return this.#post(`${of(id)}/stop`);
  }

  /** Put an item into it. @param {string} id @param {Record<string, any>} item @returns {Promise<{accepted: number}>} */
  processItem(id, item) {
    return this.#post(`${of(id)}/process`, { item });
  }

  /** Put items into it. @param {string} id @param {Record<string, any>[]} items @returns {Promise<{accepted: number}>} */
  processBatch(id, items) {
    return this.#post(`${of(id)}/batch`, { items });
  }

  /** What its stages make of some items; nothing is delivered. @param {string} id @param {Record<string, any>[]} items @returns {Promise<Record<string, any>>} */
  testPipeline(id, items) {
    return this.#post(`${of(id)}/test`, { items });
  }

  /** @param {string} id @returns {Promise<PipelineMetrics>} */
  getPipelineMetrics(id) {
    return this.#json("GET", `${of(id)}/metrics`);
  }

  /** @param {string} id @returns {Promise<{status: string, reasons: string[], lastError: string | null}>} */
  getPipelineHealth(id) {
    return this.#json("GET", `${of(id)}/health`);
  }

  /** Keep its latest checkpoint. @param {string} id @returns {Promise<{id: string, createdAt: string}>} */
  createCheckpoint(id) {
    return this.#post(`${of(id)}/checkpoints`);
  }

  /** Let it go on from a checkpoint. @param {string} id @param {string} checkpointId @returns {Promise<Pipeline>} */
  restoreCheckpoint(id, checkpointId) {
    return this.#post(`${of(id)}/restore`, { checkpointId });
  }

  /** What was not taken. @param {string} id @param {PageQuery} [query] @returns {Promise<{failures: Record<string, any>[], nextCursor: string | null}>} */
  listFailures(id, query) {
    return this.#json("GET", `${of(id)}/failures`, { query });
  }

  /** Try some failures again, or all. @param {string} id @param {string[]} [ids] @returns {Promise<{accepted: number}>} */
  retryFailures(id, ids) {
    return this.#post(`${of(id)}/failures/retry`, { ids });
  }

  /** All pipelines together. @returns {Promise<Record<string, any>>} */
  getStats() {
    return this.#api().json("GET", "/api/streaming/stats");
  }

  /** @param {string} path @param {object} [body] */
  #post(path, body) {
    return this.#json("POST", path, { body, headers: { "Idempotency-Key": uuid() } });
  }

  /** @param {string} method @param {string} path @param {import("./api.js").Call} [call] */
  #json(method, path, call) {
    return this.#api().json(method, `/api/streaming/pipelines${path}`, call);
  }
}

/** @param {string} id */
function of(id) {
  return `/${encodeURIComponent(id)}`;
}
