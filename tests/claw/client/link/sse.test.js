import assert from "node:assert/strict";
import test from "node:test";
import { SseParser } from "../../../../static/claw/client/link/sse.js";

const STREAM = [
  "\ufeffretry: 1000\n: stream of run run_1\nid: run_1:0\n\n",
  'id: run_1:1\ndata: {"content":"héllo 👩‍👩‍👧‍👦 日本語"}\n\n',
  'id: run_1:2\r\ndata: {"content":"\u2028\u0085"}\r\n\r\n',
  ": keepalive\n\n",
  "event: note\rdata: two\rdata:  lines\rdata\r\r",
  "id: bad\0id\nid\ndata:no space\nunknown: field\n\n",
  'id: run_1:3\ndata: {"type":"done"}\n\n',
  "data: never complete\n",
].join("");
const BYTES = new TextEncoder().encode(STREAM);
const EVENTS = [
  { event: "message", data: '{"content":"héllo 👩‍👩‍👧‍👦 日本語"}', id: "run_1:1" },
  { event: "message", data: '{"content":"\u2028\u0085"}', id: "run_1:2" },
  { event: "note", data: "two\n lines\n", id: "run_1:2" },
  { event: "message", data: "no space", id: "" },
  { event: "message", data: '{"type":"done"}', id: "run_1:3" },
];

/** @param {Uint8Array[]} chunks */
function parse(...chunks) {
  const parser = new SseParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
}

test("it works", () => {
  assert.deepEqual(parse(BYTES), EVENTS);
});

test("every split in two gives the same events", () => {
  for (let at = 0; at <= BYTES.length; at += 1) {
    assert.deepEqual(parse(BYTES.subarray(0, at), BYTES.subarray(at)), EVENTS, `at ${at}`);
  }
});

test("every split in three gives the same events", () => {
  for (let one = 0; one <= BYTES.length; one += 1) {
    for (let two = one; two <= BYTES.length; two += 7) {
      const chunks = [BYTES.subarray(0, one), BYTES.subarray(one, two), BYTES.subarray(two)];
      assert.deepEqual(parse(...chunks), EVENTS, `at ${one}, ${two}`);
    }
  }
});

test("byte by byte, with empty chunks in between, gives the same events", () => {
  const none = new Uint8Array();
  assert.deepEqual(parse(...[...BYTES].flatMap((byte) => [none, Uint8Array.of(byte)])), EVENTS);
});

test("an event comes with its last byte, not later", () => {
  const parser = new SseParser();
  const bytes = new TextEncoder().encode("data: x\r\n\r\n");
  const found = [...bytes].map((byte) => parser.push(Uint8Array.of(byte)).length);
  assert.equal(found.indexOf(1), bytes.length - 2); // its "\r" ends the line
});

test("an id without data is known: a cut before the first event names the run", () => {
  const parser = new SseParser();
  assert.deepEqual(parser.push(new TextEncoder().encode("id: run_1:0\n\n")), []);
  assert.equal(parser.lastEventId, "run_1:0");
});

test("a stream without end is refused", () => {
  const parser = new SseParser();
  const chunk = new Uint8Array(1024 * 1024).fill(97);
  assert.throws(() => Array.from({ length: 20 }, () => parser.push(chunk)), { code: "bad_response" });
});
