import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { afterAll, describe, expect, it } from "vitest";
import { findConfig } from "./find-config.ts";

const directory = mkdtempSync(join(tmpdir(), "daos-find-config-"));
afterAll(() => rmSync(directory, { recursive: true }));

const GOOD = `access_points: [localhost]
control_log_file: /l/server.log
transport_config: {allow_insecure: true}
servers:
- {fabric_iface: lo, provider: ofi+sockets, scm_mount: /mnt/0, scm_class: ram, scm_size: 1, log_file: /l/engine.log}
`;

const OF_ONE_THAT_FAILS = ["config/daos_server.yml", "config/of-last-start.yml", "config/problems.txt"];

describe("findConfig", () => {
  it.each([
    ["a good one", GOOD, ["config/daos_server.yml", "config/in-force.yml"], "/l/engine.log", []],
    [
      "one with an error",
      `${GOOD}port: many\n`,
      OF_ONE_THAT_FAILS,
      "/l/engine.log",
      [["config/in-force.yml", /the configuration has errors: .*:6:7: error: port: /]],
    ],
    [
      "no YAML",
      "access_points: [localhost\nport: {",
      OF_ONE_THAT_FAILS,
      undefined,
      [
        ["config/in-force.yml", /the configuration has errors/],
        [expect.stringMatching(/logs/), /could not be read/],
      ],
    ],
    [
      "no text",
      Buffer.from([0x61, 0xff, 0xfe]),
      OF_ONE_THAT_FAILS.slice(0, 2),
      undefined,
      [
        ["config/in-force.yml", /cannot be read: .* is not UTF-8/],
        [expect.stringMatching(/logs/), /could not be read/],
      ],
    ],
  ] as const)(
    "findConfig() returns the readable part of %s, and lists the missing items",
    async (_, text, items, log, left) => {
      const config = join(directory, "daos_server.yml");
      writeFileSync(config, text);
      const found = await findConfig({ config, configFrom: "-o" });
      expect(found.items.map(({ name }) => name)).toEqual(items);
      expect(found.config?.engines[0]?.logFile).toBe(log);
      expect(found.isValid).toBe(left.length === 0);
      expect(found.missing).toEqual(
        left.map(([item, reason]) => ({ item, reason: expect.stringMatching(reason) as string })),
      );
    },
  );

  it("findConfig() accepts a missing file, unless it was named", async () => {
    const config = join(directory, "none.yml");
    const { missing } = await findConfig({ config, configFrom: "none" });
    expect(missing[0]).toEqual({ item: "config/in-force.yml", reason: "there is no configuration file" });
    await expect(findConfig({ config, configFrom: "-o" })).rejects.toMatchObject({
      code: FaultCode.configNotFound,
    });
  });
});
