import { describe, expect, it } from "vitest";
import { addChecksum, verifyChecksum } from "./document-checksum.ts";
import { encodeMember, isUnreadable, readKept } from "./encode-member.ts";
import { sampleMember } from "./testing/sample-member.ts";

const member = sampleMember(3, { reason: "€ 𝄞", state: "excluded" });

describe("addChecksum() and verifyChecksum()", () => {
  it("verifyChecksum() accepts what addChecksum() returned, and names a document without a checksum", () => {
    const document = encodeMember(member);
    expect(verifyChecksum(addChecksum(document))).toBe(true);
    expect(verifyChecksum(document)).toBe(false);
    expect(JSON.parse(addChecksum(document))).toMatchObject(JSON.parse(document) as object);
  });

  it("readKept() sets a document aside or reads the same from it, whichever bit of it has flipped", () => {
    const sound = Buffer.from(addChecksum(encodeMember(member)));
    let unreadable = 0;
    for (let bit = 0; bit < sound.length * 8; bit++) {
      const flipped = Buffer.from(sound);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const kept = readKept(member.uuid, flipped.toString());
      if (isUnreadable(kept)) unreadable++;
      else expect(kept).toEqual(member);
    }
    expect(unreadable).toBe(sound.length * 8);
  });

  it("readKept() reads a document of an earlier release, and no unknown field without a checksum", () => {
    const old = encodeMember(member);
    expect(readKept(member.uuid, old)).toEqual(member);
    const newer = old.replace('"reports"', '"reportz":1,"reports"');
    expect(readKept(member.uuid, newer)).toMatchObject({
      reason: expect.stringContaining("reportz") as string,
    });
    expect(readKept(member.uuid, addChecksum(newer))).toEqual(member);
  });
});
