import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EVENTUAL_TIMEOUT_MS, TestSystem } from "./test-system.ts";

const slow = { timeout: EVENTUAL_TIMEOUT_MS, interval: 500 };

describe("members", () => {
  it("have one fabric provider: a host with another one is refused, and told both", async () => {
    await using first = await TestSystem.create();
    await first.start();
    const accessPoints = [`localhost:${first.port}`];
    await using second = await TestSystem.create({ accessPoints, provider: "ofi+tcp" });
    second.launch(["--auto-format"]);
    await expect
      .poll(() => second.server.output, slow)
      .toMatch(
        /the join is refused, and asked for again.*fabric provider ofi\+tcp: rank 0 on 127\.0\.0\.1:\d+ is in service with ofi\+sockets/,
      );
    const { members } = await first.dmgJson("system", "query");
    expect(members).toMatchObject([{ rank: 0, state: "joined" }]);
  });

  it("have the fault domain that the program of fault_cb prints", async () => {
    await using system = await TestSystem.create({ more: "fault_cb: ./fd_cb" });
    const program = join(system.directory, "fd_cb");
    await writeFile(program, "#!/bin/sh\necho /rack7/host1\n");
    await chmod(program, 0o555);
    await system.start();
    const { members } = await system.dmgJson("system", "query");
    expect(members).toMatchObject([{ faultDomain: "/rack7/host1" }]);
    await system.stop();

    await chmod(program, 0o777);
    const server = system.launch([]);
    const { exitCode } = await server.end();
    expect(exitCode).not.toBe(0);
    expect(server.output).toContain("others than its owner may change it, its mode is 0777");
  });
});
