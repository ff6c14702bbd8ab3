import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReplicaRole } from "@daos/election";
import { FaultCode } from "@daos/fault";
import { parseHostAddress } from "@daos/hostlist";
import { silentLogger } from "@daos/log";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requireOwnAddress } from "./require-own-address.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-own-address-"));
});
afterEach(() => rm(directory, { recursive: true }));

interface Start {
  readonly role: ReplicaRole;
  readonly local: readonly string[];
  readonly accessPoints?: readonly string[];
  /** The address of storage1. */
  readonly resolved?: string;
  readonly self?: string;
}

function start({
  role,
  local,
  accessPoints = ["storage1"],
  resolved = "10.0.0.1",
  self = "10.9.0.1",
}: Start) {
  return requireOwnAddress({
    config: {
      name: "daos_server",
      port: 10001,
      accessPoints: accessPoints.map((one) => parseHostAddress(`${one}:10001`)),
    },
    role,
    self: { host: self, port: 10001 },
    localAddresses: new Set(["127.0.0.1", ...local]),
    resolve: async (host) => (host === "storage1" ? [resolved] : [host]),
    directories: [directory],
    log: silentLogger,
  });
}

describe("requireOwnAddress()", () => {
  const late = { role: "none", local: ["10.9.0.1"] } as const;
  const missing = { code: FaultCode.addressesUnknown };

  it.each([
    ["its address is not there yet", {}, true],
    ["its name has another address now", { resolved: "10.0.0.2" }, false],
    ["it is no access point any more", { accessPoints: ["10.0.0.2"] }, false],
  ])("requireOwnAddress() at a start of a former access point: %s", async (_, change, isRefused) => {
    await start({ role: "bootstrap", local: ["10.0.0.1", "10.9.0.1"] });
    const again = start({ ...late, ...change });
    if (isRefused) await expect(again).rejects.toMatchObject(missing);
    else await again;
  });

  it("requireOwnAddress() accepts a host that never was an access point", async () => {
    await start(late);
  });

  it.each([
    ["refuses", ["storage1"], true],
    ["accepts, for a trial on one machine,", ["127.0.0.1", "127.0.1.1"], false],
  ])("requireOwnAddress() %s a host with the loopback only", async (_, accessPoints, isRefused) => {
    const started = start({ role: "none", local: [], self: "127.0.0.1", accessPoints });
    if (isRefused) await expect(started).rejects.toMatchObject(missing);
    else await started;
  });
});
