import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readPlugins, writePlugins } from "./plugin-store.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-plugins-"));
});
afterEach(() => rm(directory, { recursive: true }));

describe("the store of plugins", () => {
  it.each(["", "\n", "{}", "null", '{"oclif":null}'])(
    "readPlugins() reads none from %j, as a crash leaves it, and writePlugins() replaces it",
    async (text) => {
      await writeFile(join(directory, "package.json"), text);
      expect(await readPlugins(directory)).toEqual([]);
      const plugins = [{ type: "link", name: "a", root: "/a" }] as const;
      await writePlugins(directory, plugins);
      expect(await readPlugins(directory)).toEqual(plugins);
      expect(await readdir(directory)).toEqual(["package.json"]);
    },
  );

  it.each(['{"oclif":{', '{"oclif":{"plugins":5}}', '{"oclif":{"plugins":["a"]}}'])(
    "readPlugins() names a damaged file: %s",
    async (text) => {
      await writeFile(join(directory, "package.json"), text);
      await expect(readPlugins(directory)).rejects.toMatchObject({
        code: FaultCode.usage,
        description: expect.stringContaining(`${directory}/package.json is damaged`),
        resolution: expect.stringContaining("move it away"),
      });
    },
  );
});
