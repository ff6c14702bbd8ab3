import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { SmallFileSystem } from "@daos/sys/testing";
import { afterAll, describe, expect, it } from "vitest";
import type { SupportEvent } from "./pack-support.ts";
import { writeArchive } from "./write-archive.ts";

const directory = mkdtempSync(join(tmpdir(), "daos-support-"));
afterAll(() => rmSync(directory, { recursive: true }));
const isRoot = process.getuid?.() === 0;
const notWritten = { code: FaultCode.archiveNotWritten };

async function* events(megabytes: number): AsyncGenerator<SupportEvent> {
  yield { kind: "progress", item: "log", done: 0, total: 1 };
  for (let n = 0; n < megabytes; n++) yield { kind: "chunk", bytes: new Uint8Array(1024 * 1024) };
  yield { kind: "done", missing: [{ item: "a", reason: "b" }] };
}

describe("writeArchive", () => {
  it("writeArchive() writes a file of its owner's, and reports the progress", async () => {
    const path = join(directory, "one");
    const progress: string[] = [];
    const written = await writeArchive(path, events(1), ({ item }) => progress.push(item));
    expect(written).toEqual({ bytes: 1024 * 1024, missing: [{ item: "a", reason: "b" }] });
    expect(progress).toEqual(["log"]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("writeArchive() leaves a file that has the name, and nothing half written", async () => {
    const path = join(directory, "mine");
    writeFileSync(path, "precious");
    await expect(writeArchive(path, events(1))).rejects.toMatchObject(notWritten);
    expect(readFileSync(path, "utf8")).toBe("precious");
    await expect(writeArchive(join(directory, "no", "such"), events(1))).rejects.toMatchObject(notWritten);
    expect(readdirSync(directory).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  it.runIf(isRoot)("writeArchive() gives back the room of an archive that does not fit", async () => {
    using small = new SmallFileSystem(4);
    await expect(writeArchive(join(small.path, "big"), events(8))).rejects.toMatchObject(notWritten);
    expect(readdirSync(small.path)).toEqual([]);
  });
});
