import { PassThrough } from "node:stream";
import { FaultCode } from "@daos/fault";
import { encodeFrame, FrameDecoder } from "@daos/pbin";
import { describe, expect, it } from "vitest";
import { refuseRequest } from "./refuse-request.ts";

/** What a caller who sends `bytes` and ends gets back, and what is printed. */
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
  it("answers a good request with a fault, and says why on the terminal", async () => {
    const { refused, answer, printed } = await ask(
      encodeFrame({ version: 1, method: "ScmScan", timeoutMs: 1000, payload: {} }),
    );
    expect(refused).toBe(true);
    expect(answer).toMatchObject({ error: { code: FaultCode.helperRefused }, result: null });
    expect(printed).toContain("was not started by its launcher");
    expect(printed).toContain("daos-admin install");
  });

  it("answers what is no request", async () => {
    const { answer } = await ask(Buffer.from("{}{}{}{}"));
    expect(answer).toMatchObject({ error: { code: FaultCode.helperMalformed } });
  });

  it("lets a terminal and an empty input have the help", async () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true });
    expect(await refuseRequest(terminal, new PassThrough(), new PassThrough())).toBe(false);
    const empty = new PassThrough().end();
    expect(await refuseRequest(empty, new PassThrough(), new PassThrough())).toBe(false);
  });
});
