import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { describe, expect, it, vi } from "vitest";
import { fillFromBase64 } from "./fill-from-base64.ts";

const seen = vi.fn(fillFromBase64);
Object.assign(Uint8Array.prototype, {
  setFromBase64(this: Uint8Array, text: string) {
    return seen.call(this, text);
  },
});
/** The decoder of protobuf-es, which takes the one of the array when it is loaded. */
const withFillFromBase64: typeof base64Decode = (
  await import(new URL("base64-encoding.js?again", import.meta.resolve("@bufbuild/protobuf/wire")).href)
).base64Decode;

const BYTES = Uint8Array.from({ length: 256 }, (_, index) => (index * 7) % 256);

describe("fillFromBase64()", () => {
  it.each<readonly [string, string]>([
    ["nothing", ""],
    ...[1, 2, 3, 4, 256].map(
      (length) => [`${length} bytes`, base64Encode(BYTES.subarray(0, length))] as const,
    ),
    ["no padding", "AQ"],
    ["the alphabet of URLs", "-_-_"],
    ["padding inside", "AQ==AQ=="],
    ["line breaks", "AQID\nBAUG\n"],
  ])("lets protobuf-es decode as without it: %s", (_, text) => {
    expect(withFillFromBase64(text)).toEqual(base64Decode(text));
    expect(seen).toHaveBeenLastCalledWith(text);
  });

  it.each(["AQ*D", "A*", "AQIDBA*=", "ä==="])("lets protobuf-es refuse %s", (text) => {
    expect(() => withFillFromBase64(text)).toThrow("invalid base64");
  });
});
