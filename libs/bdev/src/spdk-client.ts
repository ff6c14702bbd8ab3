import { createConnection, type Socket } from "node:net";

/** A call that an SPDK target refused, with its JSON-RPC error code; `-19` is ENODEV. */
export class SpdkError extends Error {
  override readonly name = "SpdkError";
  readonly code: number;

  constructor(method: string, code: number, message: string) {
    super(`${method}: ${message} (${code})`);
    this.code = code;
  }
}

export interface SpdkCallOptions {
  readonly signal?: AbortSignal | undefined;
  /** 30,000 by default. */
  readonly timeoutMs?: number;
}

const MAX_ANSWER = 64 * 1024 * 1024;

/**
 * One JSON-RPC 2.0 call to an SPDK target, on a connection of its own: calls are rare, and a target that is restarted
 * is found again.
 *
 * @param path the target's socket, `/var/tmp/spdk.sock` by default of SPDK
 * @throws SpdkError when the target refuses; Error with `code` ENOENT or ECONNREFUSED when there is none; an Error when it
 *   does not answer in time; the signal's reason
 * @see SPDK doc/jsonrpc.md
 */
export function callSpdk(
  path: string,
  method: string,
  params: Readonly<Record<string, unknown>>,
  options: SpdkCallOptions = {},
): Promise<unknown> {
  const { signal, timeoutMs = 30_000 } = options;
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const socket: Socket = createConnection(path).setEncoding("utf8");
    const reader = new JsonReader();
    const settle = (done: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.destroy();
      done();
    };
    const fail = (error: unknown) => settle(() => reject(error));
    const onAbort = () => fail(signal?.reason);
    const timer = setTimeout(() => {
      fail(new Error(`the SPDK target at ${path} did not answer ${method} within ${timeoutMs} ms`));
    }, timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.on("error", fail);
    socket.on("close", () =>
      fail(new Error(`the SPDK target at ${path} closed the connection during ${method}`)),
    );
    socket.on("connect", () => {
      const call = Object.keys(params).length > 0 ? { method, params } : { method };
      socket.write(JSON.stringify({ jsonrpc: "2.0", id: 1, ...call }));
    });
    socket.on("data", (text: string) => {
      try {
        for (const answer of reader.push(text)) {
          const { error, result } = answer as {
            error?: { code?: number; message?: string };
            result?: unknown;
          };
          if (error === undefined) settle(() => resolve(result));
          else fail(new SpdkError(method, error.code ?? 0, error.message ?? "refused"));
        }
      } catch (error) {
        fail(error);
      }
    });
  });
}

/** Finds the objects in a stream of JSON: an SPDK target puts nothing between them that could be relied on. */
class JsonReader {
  #text = "";
  #at = 0;
  #depth = 0;
  #inString = false;

  push(text: string): unknown[] {
    this.#text += text;
    if (this.#text.length > MAX_ANSWER) throw new Error(`an answer of more than ${MAX_ANSWER} characters`);
    const found: unknown[] = [];
    for (; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text[this.#at];
      if (this.#inString) {
        if (character === "\\") this.#at += 1;
        else if (character === '"') this.#inString = false;
      } else if (character === '"') this.#inString = true;
      else if (character === "{") this.#depth += 1;
      else if (character === "}") {
        this.#depth -= 1;
        if (this.#depth === 0) {
          found.push(JSON.parse(this.#text.slice(0, this.#at + 1)));
          this.#text = this.#text.slice(this.#at + 1);
          this.#at = -1;
        }
      }
    }
    return found;
  }
}
