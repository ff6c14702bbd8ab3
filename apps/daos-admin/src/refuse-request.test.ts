import { PassThrough } from "node:stream";
import { FaultCode } from "@daos/fault";
import { encodeFrame, FrameDecoder } from "@daos/pbin";
import { describe, expect, it } from "vitest";
import { refuseRequest } from "./refuse-request.ts";

/** The answer to a caller that sends `bytes` and closes its side, and the printed text. */
async function ask(bytes: Buffer) {
  const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
  input.write(bytes);
  const refused = await refuseRequest(input, output, errors);
  input.end();
  const decoder = new FrameDecoder();
  const answer: unknown = output.read();
  if (answer instanceof Buffer) decoder.push(answer);
  return { refused, answer: decoder.complete ? decoder.decode() : undefined, printed: String(errors.read()) };
}

describe("refuseRequest", () => {
  it("refuseRequest() answers a good request with a fault, and explains it on the terminal", async () => {
    const { refused, answer, printed } = await ask(
      encodeFrame({ version: 1, method: "ScmScan", timeoutMs: 1000, payload: {} }),
    );
    expect(refused).toBe(true);
    expect(answer).toMatchObject({ error: { code: FaultCode.helperRefused }, result: null });
    expect(printed).toContain("was not started by its launcher");
    expect(printed).toContain("daos-admin install");
  });

  it("refuseRequest() answers bytes that are no request", async () => {
    const { answer } = await ask(Buffer.from("{}{}{}{}"));
    expect(answer).toMatchObject({ error: { code: FaultCode.helperMalformed } });
  });

  it("refuseRequest() prints the help for a terminal and for an empty input", async () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true });
    expect(await refuseRequest(terminal, new PassThrough(), new PassThrough())).toBe(false);
    const empty = new PassThrough().end();
    expect(await refuseRequest(empty, new PassThrough(), new PassThrough())).toBe(false);
  });
});
