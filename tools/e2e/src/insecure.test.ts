import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { expect, it } from "vitest";
import { TestSystem } from "./test-system.ts";

/** The result of a connection attempt: `open`, or an error code. */
function dial(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once("connect", () => {
      socket.destroy();
      resolve("open");
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** Other addresses of this machine than 127.0.0.1: another loopback address, and those of the network. */
function otherAddresses(): readonly string[] {
  const network = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter(({ internal, family }) => !internal && family === "IPv4")
    .map(({ address }) => address);
  return ["127.0.0.2", ...network];
}

it("daos-server without certificates listens on the loopback only, unless listen_address selects all addresses", async () => {
  await using system = await TestSystem.create();
  await system.start();
  expect(await dial("127.0.0.1", system.port)).toBe("open");
  for (const address of otherAddresses())
    expect([address, await dial(address, system.port)]).toEqual([address, "ECONNREFUSED"]);
  // The name in ps, top and pgrep.
  const nameOf = async (pid: number | undefined) => (await readFile(`/proc/${pid}/comm`, "utf8")).trim();
  expect(await nameOf(system.server.child.pid)).toBe("daos_server");
  expect(await nameOf(system.enginePid())).toBe("daos_io_server");
  expect(await system.stop()).toMatchObject({ exitCode: 0 });

  await using open = await TestSystem.create({ more: "listen_address: 0.0.0.0" });
  await open.start();
  for (const address of otherAddresses())
    expect([address, await dial(address, open.port)]).toEqual([address, "open"]);
});
