import type { Readable, Writable } from "node:stream";
import { faultMalformed } from "./faults.ts";
import { FrameDecoder } from "./frame.ts";

/** A pair of pipes or a socket between server and helper, for one request and its answer. */
export interface HelperChannel {
  readonly input: Readable;
  readonly output: Writable;
}

/**
 * Reads one message from `input`; undefined when the input ends before the first byte. Bytes after the message stay in the
 * stream.
 *
 * @throws Fault helperMalformed when the input ends inside the message or is not a frame; the signal's reason
 */
export function readFrame(
  input: Readable,
  options: { readonly signal: AbortSignal },
): Promise<{ readonly message: unknown } | undefined> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const decoder = new FrameDecoder();
    const settle = (done: () => void) => {
      input.off("readable", onReadable).off("end", onEnd).off("error", onError).off("close", onEnd);
      signal.removeEventListener("abort", onAbort);
      done();
    };
    const onAbort = () => settle(() => reject(signal.reason));
    const onError = (error: Error) => settle(() => reject(error));
    const onEnd = () => {
      if (decoder.empty) settle(() => resolve(undefined));
      else settle(() => reject(faultMalformed("the end of the stream in the middle of a message")));
    };
    const onReadable = () => {
      try {
        for (let chunk: Buffer | null = input.read(); chunk !== null; chunk = input.read()) {
          const used = decoder.push(chunk);
          if (!decoder.complete) continue;
          if (used < chunk.length) input.unshift(chunk.subarray(used));
          const message = decoder.decode();
          settle(() => resolve({ message }));
          return;
        }
      } catch (error) {
        settle(() => reject(error));
      }
    };
    input.on("readable", onReadable).on("end", onEnd).on("error", onError).on("close", onEnd);
    signal.addEventListener("abort", onAbort, { once: true });
    if (input.readableEnded || input.destroyed) onEnd();
    else onReadable();
  });
}

/** Writes one frame and waits until the kernel has taken it. @throws the stream's error; the signal's reason */
export function writeFrame(
  output: Writable,
  frame: Buffer,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const settle = (done: () => void) => {
      signal.removeEventListener("abort", onAbort);
      done();
    };
    const onAbort = () => settle(() => reject(signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    output.write(frame, (error) => {
      settle(() => {
        if (error == null) resolve();
        else reject(error);
      });
    });
  });
}
