import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Fault, FaultCode } from "@daos/fault";
import { type Logger, limitRepeats } from "@daos/log";
import type { Metrics } from "./metrics.ts";

export interface MetricsListenOptions {
  readonly metrics: Pick<Metrics, "render" | "contentType">;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly log: Logger;
}

/** The listener for Prometheus. */
export interface MetricsListener {
  readonly port: number;
  close(): Promise<void>;
}

/** Timeout for a request and for its answer, ms. */
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 32;

/**
 * Serves `GET /metrics` over plain HTTP, and nothing else: no request changes anything. Connections are few and short.
 *
 * @throws Fault listenAddressBusy
 */
export async function listenMetrics(options: MetricsListenOptions): Promise<MetricsListener> {
  const { metrics, host, port, log } = options;
  const quiet = limitRepeats(log);
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: 8 * 1024 },
    (request, response) => {
      answer(metrics, request, response).catch((error: unknown) => {
        quiet.error("the metrics cannot be read", { error });
        if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
        response.end("the metrics cannot be read: see the log of daos-server\n");
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(REQUEST_TIMEOUT_MS);
  server.listen({ host, port });
  const shown = host.includes(":") ? `[${host}]` : host;
  try {
    await once(server, "listening");
  } catch (error) {
    throw new Fault({
      domain: "system",
      code: FaultCode.listenAddressBusy,
      description: `listen on ${shown}:${port} for Prometheus`,
      reason: error instanceof Error ? error.message : String(error),
      resolution: "set telemetry_port to a free port, or leave it out",
      cause: error,
    });
  }
  // When no descriptor is left for a connection, the listener gets an error and continues.
  server.on("error", (error) => quiet.warn("a connection could not be accepted", { error }));
  const address = server.address();
  const actual = typeof address === "object" && address !== null ? address.port : port;
  log.info(`metrics on ${shown}:${actual}`);
  return {
    port: actual,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  metrics: MetricsListenOptions["metrics"],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path] = (request.url ?? "").split("?");
  if (path !== "/metrics") {
    response.writeHead(404, { "content-type": "text/plain" }).end("the metrics are at /metrics\n");
    return;
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  const text = await metrics.render();
  response.writeHead(200, { "content-type": metrics.contentType });
  response.end(request.method === "HEAD" ? undefined : text);
}
