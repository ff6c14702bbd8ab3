import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DrpcServer } from "@daos/drpc";
import { RawPeer } from "@daos/drpc/testing";
import { silentLogger } from "@daos/log";
import { engineContract, envelopeContract } from "@daos/proto/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EmulatedEngine } from "./emulated-engine.ts";
import { StateStore } from "./state-store.ts";

const OWN_URI = "ofi+sockets://10.0.0.1:31416";
const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("hex");

let directory = "";
let server: DrpcServer;
let peer: RawPeer;
/** The number of restarts of the engine at a fabric address. */
const restarts = new Map<string, number>();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "contract-"));
  const engine = new EmulatedEngine({
    store: await StateStore.open(directory),
    capacity: { scm: 1_000_000, nvme: 0 },
    targets: 2,
    uri: OWN_URI,
    nctxs: 3,
    fabric: { processAt: async (uri) => `process ${restarts.get(uri) ?? 0}` },
    faults: new Map(),
    log: silentLogger,
    exit: () => {},
    crash: () => {},
  });
  const path = join(directory, "engine.sock");
  server = new DrpcServer({ path, modules: [engine.module], log: silentLogger });
  await server.listen();
  peer = await RawPeer.connect(path);
});
afterEach(async () => {
  peer.close();
  await server.close();
  restarts.clear();
  await rm(directory, { recursive: true });
});

/** Sends a packet, and waits for the answer. */
async function exchange(packet: Uint8Array): Promise<string | undefined> {
  peer.send(packet);
  return hex(await peer.next());
}

describe("EmulatedEngine", () => {
  it.each(engineContract())(
    "EmulatedEngine answers byte for byte like the engine of release 0.8.0: $scenario",
    async ({ exchanges }) => {
      for (const one of exchanges) {
        if ("restarted" in one) restarts.set(one.restarted, (restarts.get(one.restarted) ?? 0) + 1);
        else expect(await exchange(one.in), one.name).toBe(hex(one.out));
      }
    },
  );

  it.each(envelopeContract())(
    "EmulatedEngine answers $name like the engine of release 0.8.0",
    async (one) => {
      expect(await exchange(one.in)).toBe(hex(one.out));
    },
  );
});
