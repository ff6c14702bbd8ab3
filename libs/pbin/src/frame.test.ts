import { FaultCode } from "@daos/fault";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from "./frame.ts";

describe("encodeFrame() and FrameDecoder", () => {
  it("can be read from chunks of any size", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.integer({ min: 1, max: 50 })), (message, cuts) => {
        const frame = encodeFrame(message);
        const decoder = new FrameDecoder();
        let at = 0;
        for (const cut of [...cuts, frame.length]) {
          const chunk = frame.subarray(at, at + cut);
          expect(decoder.push(chunk)).toBe(chunk.length);
          at += chunk.length;
        }
        expect(decoder.complete).toBe(true);
        expect(JSON.stringify(decoder.decode())).toBe(JSON.stringify(message));
      }),
    );
  });

  it("carry a bigint as digits", () => {
    expect(encodeFrame({ size: 12n }).toString()).toContain('{"size":"12"}');
  });

  it("report how many bytes belong to them", () => {
    const decoder = new FrameDecoder();
    const frame = encodeFrame({});
    expect(decoder.push(Buffer.concat([frame, Buffer.from("more")]))).toBe(frame.length);
    expect(decoder.push(Buffer.from("more"))).toBe(0);
  });

  it.each([
    ["a length of 0", Buffer.from([0, 0, 0, 0])],
    ["one byte more than the limit", Buffer.from([0, 0x10, 0, 1])],
    ["the longest length there is", Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ["text instead of a frame", Buffer.from('{"Method":"ScmMount"}')],
  ])("refuse %s", (_name, bytes) => {
    expect(() => new FrameDecoder().push(bytes)).toThrowError(
      expect.objectContaining({ code: FaultCode.helperMalformed }),
    );
  });

  it.each([
    ["no JSON", Buffer.from("{")],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22])],
    ["a byte order mark", Buffer.from("\ufeff{}")],
    ["brackets without end", Buffer.from("[".repeat(100_000))],
  ])("refuse %s", (_name, body) => {
    const decoder = new FrameDecoder();
    const header = Buffer.alloc(4);
    header.writeUInt32BE(body.length);
    decoder.push(header);
    decoder.push(body);
    expect(() => decoder.decode()).toThrowError(expect.objectContaining({ code: FaultCode.helperMalformed }));
  });

  it("may be 1 MiB long, and no longer", () => {
    expect(encodeFrame("x".repeat(MAX_FRAME_BYTES - 2))).toHaveLength(MAX_FRAME_BYTES + 4);
    expect(() => encodeFrame("x".repeat(MAX_FRAME_BYTES - 1))).toThrow("more than");
  });
});
