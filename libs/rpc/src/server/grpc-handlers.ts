import {
  constants,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { DescMethod, DescMethodUnary, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, ContextValues, Interceptor, MethodImpl, ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { onlyProtocols } from "./only-protocols.ts";
import { serveUnary, type UnaryMethod, unaryMethod } from "./serve-unary.ts";

export interface GrpcHandlersOptions {
  /** Registers the services; called once. */
  readonly routes: (router: ConnectRouter) => void;
  /** Around every call, the first one outermost. They must pass on the request that they get, or throw. */
  readonly interceptors?: readonly Interceptor[];
  /** The largest request, bytes, of methods that are registered without a limit of their own. */
  readonly readMaxBytes: number;
  /** Timeout of a client that reads nothing of the waiting data, ms; after it the call is given up. */
  readonly stallMs?: number | undefined;
  /** The facts about the caller that handlers get; `path` is as in `/mgmt.MgmtSvc/Join`. */
  readonly contextValues?: ((stream: ServerHttp2Stream, path: string) => ContextValues) | undefined;
}

/** The two ways in which a server answers its calls. */
export interface GrpcHandlers {
  /** Serves a usual call of a unary method. @returns false for any other call, which `handler` must serve */
  readonly unary: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => boolean;
  /** Serves every call. */
  readonly handler: (request: Http2ServerRequest, response: Http2ServerResponse) => void;
}

/**
 * Serves gRPC: usual calls of unary methods from the HTTP/2 stream itself ({@link serveUnary}), which costs a fifth of what
 * Connect takes; server streams, unknown methods and encodings, JSON and malformed headers through Connect. The routes are
 * Connect's for both. A client cannot tell which one has answered: `grpc-handlers.test.ts` is one table for both.
 */
export function grpcHandlers(options: GrpcHandlersOptions): GrpcHandlers {
  const { routes, interceptors = [], readMaxBytes, stallMs = STALL_MS, contextValues } = options;
  const methods = new Map<string, UnaryMethod>();
  const record = (method: DescMethod, implementation: unknown, limit = readMaxBytes) => {
    if (method.methodKind !== "unary" || implementation === undefined) return;
    const known = implementation as MethodImpl<DescMethodUnary>;
    methods.set(
      `/${method.parent.typeName}/${method.name}`,
      unaryMethod(method as DescMethodUnary, known, { interceptors, readMaxBytes: limit }),
    );
  };
  const connectHandler = connectNodeAdapter({
    readMaxBytes,
    interceptors: [...interceptors],
    routes: (router) => routes(recording(onlyProtocols(router, GRPC), record)),
    ...(contextValues && {
      contextValues: (request) => contextValues((request as Http2ServerRequest).stream, request.url ?? ""),
    }),
  });
  return {
    handler: (request, response) => {
      giveUpWhenStalled(response, stallMs);
      connectHandler(request, response);
    },
    unary: (stream, headers) => {
      const path = headers[":path"] ?? "";
      const method = methods.get(path);
      if (method === undefined || !isUsual(headers)) return false;
      void serveUnary(method, { stream, headers, values: contextValues?.(stream, path) });
      return true;
    },
  };
}

const GRPC = { grpc: true, grpcWeb: false, connect: false };
const STALL_MS = 60_000;

/**
 * Ends a call whose client reads nothing of the waiting data, which a server's stream would otherwise hold until its
 * deadline. A stream without waiting data has no such limit.
 */
function giveUpWhenStalled(response: Http2ServerResponse, stallMs: number): void {
  const { stream } = response;
  stream.setTimeout(stallMs, () => {
    if (stream.writableLength === 0) return;
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    // Connect waits for its write with this listener; it prints other errors than that of a client that is gone.
    const gone = Object.assign(new Error(`the client took nothing for ${stallMs} ms`), {
      code: "ECONNRESET",
    });
    if (response.listenerCount("error") > 0) response.emit("error", gone);
  });
}

type Record = (method: DescMethod, implementation: unknown, readMaxBytes: number | undefined) => void;

/** A router that passes everything on, and reports each method with its implementation. */
function recording(router: ConnectRouter, record: Record): ConnectRouter {
  const both: ConnectRouter = {
    handlers: router.handlers,
    rpc(method, implementation, options) {
      record(method, implementation, options?.readMaxBytes);
      router.rpc(method, implementation, options);
      return both as typeof this;
    },
    service<T extends DescService>(service: T, implementation: Partial<ServiceImpl<T>>, options?: object) {
      for (const method of service.methods) {
        const one = implementation[method.localName as keyof ServiceImpl<T>] as unknown;
        const bound = typeof one === "function" ? one.bind(implementation) : undefined;
        record(method, bound, (options as { readMaxBytes?: number } | undefined)?.readMaxBytes);
      }
      router.service(service, implementation, options);
      return both as never;
    },
  };
  return both;
}

const CONTENT_TYPE = /^application\/grpc(?:\+proto)?$/i;
const TIMEOUT = /^\d{1,8}[HMSmun]$/;

/** Headers as gRPC clients send them. Connect reports what is wrong with any others. */
function isUsual(headers: IncomingHttpHeaders): boolean {
  const encoding = headers["grpc-encoding"];
  const timeout = headers["grpc-timeout"];
  return (
    headers[":method"] === "POST" &&
    CONTENT_TYPE.test(headers["content-type"] ?? "") &&
    (encoding === undefined || encoding === "identity" || encoding === "gzip") &&
    (timeout === undefined || TIMEOUT.test(String(timeout)))
  );
}
