import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { type Fault, FaultCode, toFault } from "@daos/fault";
import { web } from "@daos/proto";
import { faultDetail, faultInterceptor } from "@daos/rpc";
import { Access } from "./access.ts";
import { faultPortBusy, faultRequestInvalid } from "./faults.ts";
import { LiveSystem, type LiveTimes } from "./live-system.ts";
import { type PageFile, readPageFiles } from "./page-files.ts";
import { pageService } from "./page-service.ts";
import type { PageServiceOptions } from "./page-service-options.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

export interface WebServerOptions extends Omit<PageServiceOptions, "live"> {
  /** 0 for one that is free. */
  readonly port: number;
  /** The directory with the built page. */
  readonly files: string;
  /** Called after a browser was let in, with the link for the next browser. */
  readonly onAdmitted: (nextLink: string) => void;
  readonly times?: Partial<LiveTimes>;
}

/** Maximum size of a call of the page, in bytes. The longest call has an access control list. */
const MAX_REQUEST = 256 * 1024;
/** Maximum size of a request with a token, in bytes. */
const MAX_SESSION_REQUEST = 1024;
const MAX_CONNECTIONS = 128;

const HTTP_STATUS: ReadonlyMap<number, number> = new Map([
  [FaultCode.webForeignRequest, 403],
  [FaultCode.webNotAuthorized, 401],
  [FaultCode.webLimit, 429],
]);

/** The server of the page. It listens on the loopback only, and answers the page only. */
export class WebServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #access: Access;
  readonly #live: LiveSystem;

  private constructor(server: Server, access: Access, live: LiveSystem) {
    this.#server = server;
    this.#access = access;
    this.#live = live;
  }

  /** Listens. @throws Fault webPortUnusable, webPageMissing */
  static async start(options: WebServerOptions): Promise<WebServer> {
    const files = await readPageFiles(options.files);
    const server = createServer({ maxHeaderSize: 16 * 1024, requestTimeout: 30_000, headersTimeout: 10_000 });
    server.maxConnections = MAX_CONNECTIONS;
    try {
      server.listen({ host: "127.0.0.1", port: options.port });
      await once(server, "listening");
    } catch (error) {
      throw faultPortBusy(options.port, error);
    }
    const access = new Access((server.address() as AddressInfo).port);
    const live = new LiveSystem(options.connect, options.times);
    const calls = connectNodeAdapter({
      routes: (router: ConnectRouter) => router.service(web.Page, pageService({ ...options, live })),
      interceptors: [faultInterceptor],
      readMaxBytes: MAX_REQUEST,
      grpc: false,
      grpcWeb: false,
    });
    const handler = new RequestHandler(access, files, calls, options.onAdmitted);
    server.on("request", (request, response) => void handler.handle(request, response));
    return new WebServer(server, access, live);
  }

  /** The link that lets one browser in. */
  get link(): string {
    return this.#access.link;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#live.close();
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

class RequestHandler {
  readonly #access: Access;
  readonly #files: ReadonlyMap<string, PageFile>;
  readonly #calls: (request: IncomingMessage, response: ServerResponse) => void;
  readonly #onAdmitted: (nextLink: string) => void;

  constructor(
    access: Access,
    files: ReadonlyMap<string, PageFile>,
    calls: (request: IncomingMessage, response: ServerResponse) => void,
    onAdmitted: (nextLink: string) => void,
  ) {
    this.#access = access;
    this.#files = files;
    this.#calls = calls;
    this.#onAdmitted = onAdmitted;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    response.setHeader("cache-control", "no-store");
    try {
      await this.#route(request, response);
    } catch (error) {
      refuse(request, response, toFault(error));
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, method, url = "" } = request;
    this.#access.checkHost(headers);
    if (method === "GET" || method === "HEAD") {
      this.#sendFile(url.split("?", 1)[0] ?? "", response);
      return;
    }
    if (method !== "POST") throw faultRequestInvalid(`the method ${method} is not served`);
    this.#access.checkOrigin(headers);
    if (url === "/session") {
      await this.#openSession(request, response);
      return;
    }
    this.#access.checkSession(headers);
    this.#calls(request, response);
  }

  /** The files have no data of the system, so they need no session. */
  #sendFile(path: string, response: ServerResponse): void {
    const file = this.#files.get(path);
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader("content-type", file.type);
    response.setHeader("content-length", file.body.length);
    if (file.immutable) response.setHeader("cache-control", "private, max-age=31536000, immutable");
    response.writeHead(200);
    response.end(response.req.method === "HEAD" ? undefined : file.body);
  }

  async #openSession(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = await readText(request, MAX_SESSION_REQUEST);
    const { cookie, key } = this.#access.admit(token);
    response.setHeader(
      "set-cookie",
      `${this.#access.cookieName}=${cookie}; HttpOnly; SameSite=Strict; Path=/`,
    );
    sendJson(response, 200, { key });
    this.#onAdmitted(this.#access.link);
  }
}

/** @throws Fault webRequestInvalid for more than `limit` bytes */
async function readText(request: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw faultRequestInvalid(`a request has more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function refuse(request: IncomingMessage, response: ServerResponse, fault: Fault): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = HTTP_STATUS.get(fault.code) ?? 400;
  // The rest of the request is not read.
  response.setHeader("connection", "close");
  if (request.method === "POST") {
    sendJson(response, status, { fault: faultDetail(fault) });
    return;
  }
  // The browser shows this text unchanged.
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`dmg web: ${fault.message} (${fault.domain} ${fault.code})\n${fault.resolution}\n`);
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}
