import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatHostAddress } from "@daos/hostlist";
import { MISBEHAVING_PEERS, RawServer } from "@daos/http2/testing";
import { describe, expect, it } from "vitest";
import { EVENTUAL_TIMEOUT_MS, freePort, TestSystem } from "./test-system.ts";

const poll = { timeout: EVENTUAL_TIMEOUT_MS };

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Answers each connection in the next of many wrong ways. */
function everyPeerInTurn(): (socket: Parameters<(typeof MISBEHAVING_PEERS)[number]["handle"]>[0]) => void {
  const peers = MISBEHAVING_PEERS.filter(({ isSilent }) => isSilent !== true);
  let next = 0;
  return (socket) => peers[next++ % peers.length]?.handle(socket);
}

describe("daos-server", () => {
  it("keeps running with its engine while another program answers on its access point's port", {
    timeout: 2 * EVENTUAL_TIMEOUT_MS,
  }, async () => {
    await using peer = await RawServer.start(everyPeerInTurn());
    await using system = await TestSystem.create({ accessPoints: [formatHostAddress(peer.host)] });
    const server = system.launch(["--auto-format"]);
    // Joins and reports. The delays between joins grow.
    await expect.poll(() => peer.connections, poll).toBeGreaterThan(8);
    expect(server.running).toBe(true);
    expect(isAlive(system.enginePid())).toBe(true);
    expect(server.output).not.toContain("internal error");
    expect((await system.stop()).exitCode).toBe(0);
  });

  it("keeps leading while another program answers on a member's port, and only the stop of that member fails", {
    timeout: 2 * EVENTUAL_TIMEOUT_MS,
  }, async () => {
    const port = await freePort();
    await using leader = await TestSystem.create();
    await leader.start();
    await using member = await TestSystem.create({ port, accessPoints: [`127.0.0.1:${leader.port}`] });
    await member.start();
    // A server that stops in order reports its stop, so the leader would not call it.
    member.server.child.kill("SIGKILL");
    await member.server.end();
    await using peer = await RawServer.start(everyPeerInTurn(), { host: "127.0.0.1", port });
    for (let round = 0; round < 4; round++) {
      const { exitCode } = await leader.dmg("--timeout", "20s", "system", "stop", "--ranks", "1");
      expect(exitCode).not.toBe(0);
    }
    expect(peer.connections).toBeGreaterThanOrEqual(4);
    expect(leader.server.running).toBe(true);
    expect(isAlive(leader.enginePid())).toBe(true);
    expect((await leader.dmgJson("pool", "create", "-s", "64M")).uuid).toBeDefined();
  });

  it.each([
    ["an exception", 'throw new Error("injected");'],
    ["a rejected promise", 'Promise.reject(new Error("injected"));'],
  ])("stops its engine in order after %s that no code catches, and exits with 70", async (_name, failure) => {
    await using system = await TestSystem.create();
    const injector = join(system.directory, "injector.mjs");
    await writeFile(injector, `process.on("SIGUSR2", () => { ${failure} });\n`);
    await system.start(["--auto-format"], { NODE_OPTIONS: `--import=${injector}` });
    const engine = system.enginePid();
    system.server.child.kill("SIGUSR2");
    const { exitCode } = await system.server.end();
    expect(exitCode).toBe(70);
    expect(system.server.output).toContain("internal error: stopping the engines in order");
    expect(system.server.output).toMatch(/Error: injected/);
    expect(system.server.output).toMatch(/stopped\s*$/);
    expect(isAlive(engine)).toBe(false);
    await system.start([]);
    expect((await system.dmgJson("pool", "create", "-s", "64M")).uuid).toBeDefined();
  });
});
