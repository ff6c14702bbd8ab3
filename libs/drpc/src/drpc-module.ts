import {
  type Body,
  type BodyMessage,
  type BodyResult,
  type DrpcMethod,
  decodeBody,
  encodeBody,
} from "./drpc-method.ts";
import type { PeerCredentials } from "./native.ts";

/** What a handler knows besides the request. */
export interface HandlerContext {
  readonly peer: PeerCredentials;
  /** Aborts when the peer goes or the server closes: nobody hears the answer any more. */
  readonly signal: AbortSignal;
  /** Registers what to do once the kernel has the answer, so that even the end of this process cannot lose it. */
  readonly onAnswered: (callback: () => void) => void;
}

export type Handler<Request extends Body, Response extends Body> = (
  request: BodyMessage<Request>,
  context: HandlerContext,
) => Promise<BodyResult<Response>> | BodyResult<Response>;

/** A method with its handler, the types forgotten. */
export interface BoundMethod {
  readonly method: DrpcMethod;
  /** @throws PayloadError when the body is not the method's request; whatever the handler throws */
  readonly serve: (body: Uint8Array, context: HandlerContext) => Promise<Uint8Array>;
}

/** The methods that a server answers under one module number. */
export interface DrpcModule {
  readonly id: number;
  readonly methods: ReadonlyMap<number, BoundMethod>;
}

/** The body of a call does not decode. */
export class PayloadError extends Error {}

/** Binds a handler to a method. An exception of the handler is answered with FAILURE and logged. */
export function handle<Request extends Body, Response extends Body>(
  method: DrpcMethod<Request, Response>,
  handler: Handler<Request, Response>,
): BoundMethod {
  const serve = async (body: Uint8Array, context: HandlerContext) => {
    let request: BodyMessage<Request>;
    try {
      request = decodeBody(method.request, body);
    } catch (cause) {
      throw new PayloadError(cause instanceof Error ? cause.message : String(cause), { cause });
    }
    return encodeBody(method.response, await handler(request, context));
  };
  return { method, serve };
}

/** @throws Error when a method belongs to another module or stands there twice: a bug */
export function drpcModule(id: number, bound: readonly BoundMethod[]): DrpcModule {
  const methods = new Map<number, BoundMethod>();
  for (const one of bound) {
    const { module, method, name } = one.method;
    if (module !== id) throw new Error(`${name} is of dRPC module ${module}, not ${id}`);
    if (methods.has(method)) throw new Error(`dRPC module ${id} has two handlers for ${name}`);
    methods.set(method, one);
  }
  return { id, methods };
}
