import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { unpackTar } from "modern-tar";
import { afterAll, describe, expect, it } from "vitest";
import { type PackSupportOptions, packSupport, type SupportEvent } from "./pack-support.ts";
import { readTail } from "./read-tail.ts";
import type { SupportItem } from "./support-item.ts";

const directory = mkdtempSync(join(tmpdir(), "daos-support-"));
afterAll(() => rmSync(directory, { recursive: true }));

const signal = new AbortController().signal;
const text = (name: string, content: string): SupportItem => ({ name, read: async () => content });

/** The bytes of an archive, its files, and the other events. */
async function pack(items: readonly SupportItem[], options: Partial<PackSupportOptions> = {}) {
  const chunks: Uint8Array[] = [];
  const events: SupportEvent[] = [];
  for await (const event of packSupport(items, { directory: "node1", signal, ...options })) {
    if (event.kind === "chunk") chunks.push(event.bytes);
    else events.push(event);
  }
  const bytes = Buffer.concat(chunks);
  const entries = await unpackTar(gunzipSync(bytes));
  const files = Object.fromEntries(
    entries.map(({ header, data }) => [header.name, Buffer.from(data ?? []).toString()]),
  );
  return { bytes, files, events, chunks };
}

describe("packSupport", () => {
  it("packSupport() makes an archive that tar reads, of files that only their owner can read", async () => {
    const long = `logs/${"n".repeat(150)}.log`;
    const { bytes, files, events } = await pack([text("versions.json", "{}\n"), text(long, "one\ntwo €\n")]);
    expect(files).toEqual({
      "node1/versions.json": "{}\n",
      [`node1/${long}`]: "one\ntwo €\n",
      "node1/missing.txt": "Nothing is missing.\n",
    });
    expect(events).toEqual([
      { kind: "progress", item: "versions.json", done: 0, total: 2 },
      { kind: "progress", item: long, done: 1, total: 2 },
      { kind: "done", missing: [] },
    ]);
    const path = join(directory, "one.tar.gz");
    writeFileSync(path, bytes);
    const listed = execFileSync("tar", ["-tvzf", path], { encoding: "utf8" });
    expect(listed.match(/^-rw-------/gm)).toHaveLength(3);
  });

  it("packSupport() says in missing.txt what could not be had and why, and has the rest", async () => {
    const { files, events } = await pack(
      [
        { name: "a", read: () => Promise.reject(new Error("no such file\nor directory")) },
        { name: "b", read: () => new Promise(() => {}) },
        text("c", "there"),
      ],
      { itemTimeoutMs: 20, missing: [{ item: "z", reason: "known before" }] },
    );
    expect(files["node1/c"]).toBe("there");
    expect(files["node1/missing.txt"]).toMatch(
      /^z: known before\na: no such file or directory\nb: .*20 ms.*\n$/s,
    );
    expect(events.at(-1)).toMatchObject({
      kind: "done",
      missing: [{ item: "z" }, { item: "a" }, { item: "b" }],
    });
  });

  it("packSupport() keeps the end of a long text, and leaves out what does not fit", async () => {
    const lines = Array.from({ length: 1000 }, (_, at) => `line ${at}\n`).join("");
    const { files } = await pack([text("log", lines), text("more", "x".repeat(500))], {
      maxItemBytes: 100,
      maxBytes: 200,
    });
    expect(files["node1/log"]).toMatch(/^\[\d+ bytes before this were left out\]\nline 989\n.*line 999\n$/s);
    expect(files).not.toHaveProperty("node1/more.txt");
    expect(files["node1/missing.txt"]).toContain("more: left out");
  });

  it("packSupport() makes small pieces of large files, no faster than they are taken", async () => {
    const part = new Uint8Array(100_000).map((_, at) => (at * 7919) % 251);
    let read = 0;
    const parts = (async function* () {
      for (; read < 100; read++) yield part;
    })();
    const running = packSupport([{ name: "big", read: async () => ({ size: 10_000_000, parts }) }], {
      directory: "all",
      signal,
    });
    for await (const event of running) if (event.kind === "chunk") break;
    expect(read).toBeLessThan(100);
  });

  it("packSupport() ends with the reason of its signal", async () => {
    const stop = new AbortController();
    const stopping = async () => {
      stop.abort();
      return "b";
    };
    const items = [text("a", "a"), { name: "b", read: stopping }, text("c", "c")];
    await expect(pack(items, { signal: stop.signal })).rejects.toThrow("aborted");
  });
});

describe("readTail", () => {
  it("readTail() reads the end of a file from a whole line on, and nothing but files", async () => {
    const path = join(directory, "log");
    writeFileSync(path, "first\nsecond\nthird\n");
    expect(await readTail(path, 100)).toBe("first\nsecond\nthird\n");
    expect(await readTail(path, 9)).toBe("[10 bytes before this were left out]\nthird\n");
    execFileSync("mkfifo", [join(directory, "pipe")]);
    await expect(readTail(join(directory, "pipe"), 100)).rejects.toThrow("not a regular file");
    await expect(readTail(directory, 100)).rejects.toThrow("not a regular file");
    await expect(readTail(join(directory, "none"), 100)).rejects.toThrow("ENOENT");
  });
});
