// A network that breaks: a TCP proxy to the server that a test can cut.
import net from "node:net";

/**
 * `cut()` resets every connection; `limit` (bytes) resets each new one after so much from the
 * server; `upgrades: false` refuses WebSockets as some proxies do; `down` refuses everybody.
 */
export class Network {
  connections = new Set();
  cuts = 0;
  /** @type {number | (() => number)} */
  limit = Infinity;
  upgrades = true;
  down = false;
  /** The next bytes from the server are the last: they do not arrive, and the connection is reset. */
  blind = false;
  /** Nothing arrives any more, and nobody is told. */
  silent = false;

  /** @param {string} url of the server */
  static async to(url) {
    const network = new Network();
    network.target = new URL(url);
    network.server = net.createServer({ allowHalfOpen: true }, (client) => network.#accept(client));
    await new Promise((resolve) => network.server.listen(0, "127.0.0.1", resolve));
    network.url = `http://127.0.0.1:${network.server.address().port}${network.target.pathname}`;
    return network;
  }

  cut() {
    for (const cut of [...this.connections]) cut();
  }

  async close() {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** @param {net.Socket} client */
  #accept(client) {
    if (this.down) return client.resetAndDestroy();
    const server = net.connect({ port: Number(this.target.port), host: "127.0.0.1", allowHalfOpen: true });
    let left = typeof this.limit === "function" ? this.limit() : this.limit;
    const cut = () => {
      if (!this.connections.delete(cut)) return;
      this.cuts += 1;
      client.resetAndDestroy();
      server.resetAndDestroy();
    };
    this.connections.add(cut);
    client.on("data", (data) => {
      if (!this.upgrades && /^GET .*\r\n[^]*upgrade: websocket/i.test(data.toString("latin1"))) {
        client.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        server.destroy();
        return this.connections.delete(cut);
      }
      server.write(data);
    });
    server.on("data", (data) => {
      if (this.silent) return;
      if (this.blind) {
        this.blind = false;
        return cut();
      }
      if (data.length < left) {
        left -= data.length;
        return client.write(data);
      }
      // What was sent arrives; the rest, and the connection, do not.
      if (left > 0) client.write(data.subarray(0, left), () => setImmediate(cut));
      else cut();
      left = 0;
      server.pause();
    });
    client.on("end", () => server.end());
    server.on("end", () => client.end());
    for (const end of [client, server]) {
      end.on("error", () => {});
      end.on("close", () => {
        this.connections.delete(cut);
        client.destroy();
        server.destroy();
      });
    }
  }
}
