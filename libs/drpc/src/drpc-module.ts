import { errorText } from "@daos/fault";
import {
  type Body,
  type BodyMessage,
  type BodyResult,
  type DrpcMethod,
  decodeBody,
  encodeBody,
} from "./drpc-method.ts";
import type { PeerCredentials } from "./native.ts";

/** The context of a handler, besides the request. */
export interface HandlerContext {
  readonly peer: PeerCredentials;
  /** Aborts when the peer disconnects or the server closes: the answer can no longer be delivered. */
  readonly signal: AbortSignal;
  /**
   * Registers a callback for when the kernel has accepted the answer. From then on the answer arrives even if this
   * process ends.
   */
  readonly onAnswered: (callback: () => void) => void;
}

export type Handler<Request extends Body, Response extends Body> = (
  request: BodyMessage<Request>,
  context: HandlerContext,
) => Promise<BodyResult<Response>> | BodyResult<Response>;

/** A method with its handler, without their types. */
export interface BoundMethod {
  readonly method: DrpcMethod;
  /** @throws PayloadError when the body is not the method's request; the handler's errors */
  readonly serve: (body: Uint8Array, context: HandlerContext) => Promise<Uint8Array>;
}

/** The methods of a server under one module number. */
export interface DrpcModule {
  readonly id: number;
  readonly methods: ReadonlyMap<number, BoundMethod>;
}

/** The body of a call cannot be decoded. */
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
      throw new PayloadError(errorText(cause), { cause });
    }
    return encodeBody(method.response, await handler(request, context));
  };
  return { method, serve };
}

/** @throws Error for a bug: a method of another module, or a method twice */
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
