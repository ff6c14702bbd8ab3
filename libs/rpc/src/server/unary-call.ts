import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextValues,
  type HandlerContext,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { parseTimeout } from "@connectrpc/connect/protocol-grpc";

/** The abort reason of answered calls. All calls share it: a new error would cost more than the call. */
const ANSWERED = new ConnectError("the call has been answered", Code.Canceled);

/**
 * A call as interceptors and handlers of Connect see it. Parts that are rarely used are made on demand: the signal with
 * the timer of the deadline, and the headers.
 */
export class UnaryCall implements UnaryRequest, HandlerContext {
  readonly stream = false;
  readonly requestMethod = "POST";
  readonly protocolName = "grpc";
  readonly method: DescMethodUnary;
  /** The request; set when it has been received. */
  message!: Message;
  readonly #headers: IncomingHttpHeaders;
  /** `performance.now()` at the deadline. */
  readonly #deadline: number | undefined;
  #values: ContextValues | undefined;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended: ConnectError | undefined;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;

  constructor(method: DescMethodUnary, headers: IncomingHttpHeaders, values?: ContextValues) {
    this.method = method;
    this.#headers = headers;
    this.#values = values;
    const timeout = headers["grpc-timeout"];
    if (timeout === undefined) return;
    const { timeoutMs = 0 } = parseTimeout(String(timeout), Number.POSITIVE_INFINITY);
    this.#deadline = performance.now() + timeoutMs;
  }

  get service() {
    return this.method.parent;
  }

  get url(): string {
    return `http://localhost${this.#headers[":path"]}`;
  }

  /** Aborts at the deadline, when the client closes the call, and when the call has been answered. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      const left = this.timeoutMs();
      if (this.#ended !== undefined) this.#controller.abort(this.#ended);
      else if (left !== undefined && left <= 0) this.#expire();
      else if (left !== undefined) this.#timer = setTimeout(() => this.#expire(), left);
    }
    return this.#controller.signal;
  }

  readonly timeoutMs = (): number | undefined =>
    this.#deadline === undefined ? undefined : this.#deadline - performance.now();

  get values(): ContextValues {
    this.#values ??= createContextValues();
    return this.#values;
  }

  get contextValues(): ContextValues {
    return this.values;
  }

  get header(): Headers {
    this.#requestHeader ??= toHeaders(this.#headers);
    return this.#requestHeader;
  }

  get requestHeader(): Headers {
    return this.header;
  }

  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  /** The headers that the handler has set. */
  get responseHeaders(): OutgoingHttpHeaders | undefined {
    return this.#responseHeader && Object.fromEntries(this.#responseHeader);
  }

  /** The trailers that the handler has set. */
  get responseTrailers(): OutgoingHttpHeaders | undefined {
    return this.#responseTrailer && Object.fromEntries(this.#responseTrailer);
  }

  /** The answer, as interceptors see it. */
  answer(message: Message): UnaryResponse {
    return new UnaryAnswer(this, message);
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Ends the call: its signal aborts, unless the call has ended before. */
  end(reason: ConnectError = ANSWERED): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    clearTimeout(this.#timer);
    this.#controller?.abort(reason);
  }

  #expire(): void {
    this.#controller?.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));
  }
}

class UnaryAnswer implements UnaryResponse {
  readonly stream = false;
  readonly message: Message;
  readonly #call: UnaryCall;

  constructor(call: UnaryCall, message: Message) {
    this.#call = call;
    this.message = message;
  }

  get service() {
    return this.#call.service;
  }

  get method() {
    return this.#call.method;
  }

  get header(): Headers {
    return this.#call.responseHeader;
  }

  get trailer(): Headers {
    return this.#call.responseTrailer;
  }
}

function toHeaders(headers: IncomingHttpHeaders): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) all.append(name, one);
  }
  return all;
}
