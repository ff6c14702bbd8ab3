/** Above the maximum answer of an SPDK target (32 MiB). */
const MAX_ANSWER = 64 * 1024 * 1024;

/** Splits a stream of JSON into objects. A chunk may hold several objects or part of one. */
export class JsonStream {
  #text = "";
  #at = 0;
  #depth = 0;
  #inString = false;

  /** The objects that the next chunk completes. @throws Error for invalid JSON or an object that is too long */
  push(text: string): unknown[] {
    this.#text += text;
    if (this.#text.length > MAX_ANSWER) throw new Error(`an object of more than ${MAX_ANSWER} characters`);
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
        if (this.#depth <= 0) {
          found.push(parseExactly(this.#text.slice(0, this.#at + 1)));
          this.#text = this.#text.slice(this.#at + 1);
          this.#at = -1;
          this.#depth = 0;
        }
      }
    }
    return found;
  }
}

/** The third argument of a reviver in ECMAScript 2026; Node.js has it since release 21. */
interface ReviverContext {
  readonly source?: string;
}

/** Parses JSON with integers beyond 2^53 as bigint: SPDK has counters of 128 bits. */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_key: string, value: unknown, context?: ReviverContext) =>
    typeof value === "number" &&
    !Number.isSafeInteger(value) &&
    context?.source !== undefined &&
    /^-?\d+$/.test(context.source)
      ? BigInt(context.source)
      : value,
  );
}
