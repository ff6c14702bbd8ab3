import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Server, Socket } from "node:net";
import { errorText, Fault, FaultCode } from "@daos/fault";
import { type Logger, limitRepeats } from "@daos/log";
import type { Metrics } from "./metrics.ts";
import { type ReadyCheck, readinessPage } from "./readiness.ts";

/** A certificate with its chain, and its key, in PEM form. */
interface ServerPem {
  readonly cert: string;
  readonly key: string;
}

export interface MetricsListenOptions {
  readonly metrics: Pick<Metrics, "render" | "contentType">;
  /** What `/readyz` shows. */
  readonly readiness: () => readonly ReadyCheck[];
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Reads the certificate for HTTPS; plain HTTP without it. */
  readonly readPem?: (() => Promise<ServerPem>) | undefined;
  readonly log: Logger;
}

/** The listener for Prometheus and for load balancers. */
export interface MetricsListener {
  readonly port: number;
  /** Reads the certificate again. @throws Fault, and keeps the old one */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** Timeout for a request and for its answer, ms. */
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 32;
const PLAIN = { "content-type": "text/plain; charset=utf-8" } as const;

/**
 * Serves `GET /metrics`, `/healthz` and `/readyz`, and nothing else: no request changes anything. Connections are few and
 * short.
 *
 * @throws Fault listenAddressBusy, or about the certificate
 */
export async function listenMetrics(options: MetricsListenOptions): Promise<MetricsListener> {
  const { host, port, readPem, log } = options;
  const quiet = limitRepeats(log);
  const limits = { requestTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: 8 * 1024 };
  const listener: RequestListener = (request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      quiet.error("the metrics cannot be read", { error });
      if (!response.headersSent) response.writeHead(500, PLAIN);
      response.end("the metrics cannot be read: see the log of daos-server\n");
    });
  };
  const secure =
    readPem === undefined
      ? undefined
      : createSecureServer(
          { ...limits, handshakeTimeout: REQUEST_TIMEOUT_MS, minVersion: "TLSv1.2", ...(await readPem()) },
          listener,
        );
  const server = secure ?? createServer(limits, listener);
  keepNewest(server);
  server.setTimeout(REQUEST_TIMEOUT_MS);
  server.listen({ host, port });
  const shown = host.includes(":") ? `[${host}]` : host;
  try {
    await once(server, "listening");
  } catch (error) {
    throw new Fault({
      domain: "system",
      code: FaultCode.listenAddressBusy,
      description: `cannot listen on ${shown}:${port} for Prometheus`,
      reason: errorText(error),
      resolution: "set telemetry_port to a free port, or leave it out",
      cause: error,
    });
  }
  // When no descriptor is left for a connection, the listener gets an error and continues.
  server.on("error", (error) => quiet.warn("a connection could not be accepted", { error }));
  const address = server.address();
  const actual = typeof address === "object" && address !== null ? address.port : port;
  log.info(`metrics on ${shown}:${actual}`, { https: secure !== undefined });
  return {
    port: actual,
    reload: async () => {
      if (readPem !== undefined) secure?.setSecureContext({ minVersion: "TLSv1.2", ...(await readPem()) });
    },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Ends the oldest connection when there are too many, so that idle ones do not keep others out. */
function keepNewest(server: Server): void {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    const [oldest] = sockets.size >= MAX_CONNECTIONS ? sockets : [];
    oldest?.destroy();
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
}

async function answer(
  { metrics, readiness }: Pick<MetricsListenOptions, "metrics" | "readiness">,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = ""] = (request.url ?? "").split("?");
  const pages: Record<string, () => Promise<Page>> = {
    "/metrics": async () => ({ status: 200, type: metrics.contentType, text: await metrics.render() }),
    // The process answers. Whether it can do its work is another question.
    "/healthz": async () => ({ status: 200, text: "ok\n" }),
    "/readyz": async () => readinessPage(readiness()),
  };
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page === undefined) {
    response.writeHead(404, PLAIN).end(`there are ${Object.keys(pages).join(", ")}\n`);
    return;
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  const { status, type, text } = await page();
  response.writeHead(status, type === undefined ? PLAIN : { "content-type": type });
  response.end(request.method === "HEAD" ? undefined : text);
}

interface Page {
  readonly status: number;
  /** Plain text by default. */
  readonly type?: string;
  readonly text: string;
}
