import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { parseRank } from "@daos/rank";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hash } from "./document-checksum.ts";
import { decodeExport, encodeExport, readExport } from "./members-export.ts";
import { sampleMember, sampleUuid } from "./testing/sample-member.ts";
import { samplePool } from "./testing/sample-pool.ts";

const members = [sampleMember(0), sampleMember(4, { state: "excluded", reason: "€ 𝄞" })];
const written = {
  system: "daos_server",
  exportedAt: "2026-11-29T04:00:00.000Z",
  members,
  pools: [samplePool(1)],
};
const text = encodeExport(written);

/** An export with other content and a checksum that matches it. */
function forged(change: object): string {
  const { checksum: _, ...content } = JSON.parse(text) as Record<string, unknown>;
  const next = { ...content, ...change };
  return JSON.stringify({ ...next, checksum: hash(JSON.stringify(next)) });
}

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "daos-export-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("encodeExport() and decodeExport()", () => {
  it("decodeExport() reads what encodeExport() wrote, also with other white space", () => {
    expect(decodeExport(text)).toEqual(written);
    expect(decodeExport(JSON.stringify(JSON.parse(text)))).toEqual(written);
  });

  it("decodeExport() reads an export of a release that did not record pools", () => {
    const { pools: _, ...content } = JSON.parse(forged({})) as Record<string, unknown>;
    const { checksum: __, ...rest } = content;
    const old = JSON.stringify({ ...rest, checksum: hash(JSON.stringify(rest)) });
    expect(decodeExport(old)).toEqual({ ...written, pools: [] });
  });

  it.each([
    [
      "with a label twice",
      encodeExport({ ...written, pools: [samplePool(1), samplePool(2, { label: "pool1" })] }),
      "the same label",
    ],
    ["with a pool that no store takes", forged({ pools: [{ version: 1, uuid: "x" }] }), "the uuid of a pool"],
    ["changed", text.replace('"excluded"', '"joined"'), "does not match its checksum"],
    ["cut", text.slice(0, -30), "JSON"],
    ["something else", "[]", "not an export"],
    ["of a later version", forged({ version: 2 }), "its version is 2"],
    [
      "with a member that no store takes",
      forged({ members: [{ ...sampleMember(1), version: 1, address: "node1:10001", state: "happy" }] }),
      "the state of a member",
    ],
    [
      "with a rank twice",
      encodeExport({ ...written, members: [sampleMember(1), sampleMember(2, { rank: parseRank(1) })] }),
      "the same rank",
    ],
    [
      "with a uuid twice",
      encodeExport({ ...written, members: [sampleMember(1), sampleMember(2, { uuid: sampleUuid(1) })] }),
      "the same uuid",
    ],
  ])("readExport() refuses a file that is %s", async (_, content, reason) => {
    const path = join(directory, "members.json");
    writeFileSync(path, content);
    await expect(readExport(path)).rejects.toMatchObject({
      code: FaultCode.membersNotMovable,
      description: `cannot take members from ${path}`,
      reason: expect.stringContaining(reason) as string,
    });
  });
});
