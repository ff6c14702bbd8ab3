import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { checkFlags } from "@daos/cli";
import { FakeServer } from "@daos/control-client/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { calledAs } from "../called-as.ts";
import { GLOBAL_FLAGS } from "../global-flags.ts";
import { at, runDmg } from "../testing/run-dmg.ts";

let server: FakeServer;
beforeAll(async () => {
  server = await FakeServer.start({});
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe("dmg web", () => {
  it("dmg web prints a link, serves the built page, and ends with Ctrl-C", async () => {
    const abort = new AbortController();
    const pages: string[] = [];
    const onOut = (text: string) => {
      const { origin } = new URL(JSON.parse(text).link);
      void fetch(origin)
        .then(async (answer) => pages.push(await answer.text()))
        .finally(() => abort.abort());
    };
    const { status, err } = await runDmg([...at(server.host), "--json", "web"], {
      onOut,
      signal: abort.signal,
    });
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(pages[0]).toMatch(/<script type="module" src="\/main-[A-Z0-9]{8}\.js">/);
    expect(server.calls).toEqual([]);
  });

  it("dmg web serves a page of at most 150 kB, compressed, that contains no other site", async () => {
    const directory = fileURLToPath(new URL("../../dist/page", import.meta.url));
    const names = await readdir(directory);
    const files = await Promise.all(names.map((name) => readFile(join(directory, name))));
    const bytes = files.reduce((sum, file) => sum + gzipSync(file).length, 0);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(150_000);
    const index = files[names.indexOf("index.html")]?.toString() ?? "";
    expect(index).not.toMatch(/https?:|\ssrc="\/\//);
  });

  it("dmg web does not start on a port that is in use", async () => {
    const port = `${server.host.port}`;
    const { status, err } = await runDmg([...at(server.host), "web", "--port", port]);
    expect(status).not.toBe(0);
    expect(err).toContain(`on port ${port} of the loopback`);
  });
});

describe("calledAs()", () => {
  const flags = (...given: readonly (readonly [string, string | true])[]) =>
    checkFlags(new Map(given), GLOBAL_FLAGS) as Parameters<typeof calledAs>[0];
  it("calledAs() contains the flags that reach the system, quoted for a shell", () => {
    expect(calledAs(flags())).toBe("dmg");
    expect(calledAs(flags(["insecure", true], ["host-list", "node[1-8]:10001"]))).toBe(
      "dmg -i -l 'node[1-8]:10001'",
    );
    expect(calledAs(flags(["config-path", "/etc/daos.yml"], ["quiet", true]))).toBe("dmg -o /etc/daos.yml");
  });
});
