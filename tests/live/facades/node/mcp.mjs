// A client of MCP by the library in JavaScript, which begins with `initialize`.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const { URL: address, API_KEY, MESSAGE } = process.env;
const headers = { Authorization: `Bearer ${API_KEY}` };
const transport = new StreamableHTTPClientTransport(new URL(`${address}/mcp`), {
  requestInit: { headers },
});
const client = new Client({ name: "test", version: "1" });
await client.connect(transport);
const { tools } = await client.listTools();
const shown = [];
const call = { name: tools[0].name, arguments: { message: MESSAGE } };
const onprogress = ({ message }) => shown.push(message);
const result = await client.callTool(call, undefined, { onprogress });
console.log(JSON.stringify({ tools: tools.map((tool) => tool.name), shown, result }));
await client.close();
