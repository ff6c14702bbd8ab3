import { drpcMethods } from "@daos/drpc";
import type { DataPlane } from "./data-plane.ts";
import { engineArguments, engineEnvironment, sharedMemoryId } from "./engine-arguments.ts";
import { setUpEngine } from "./set-up-engine.ts";

/**
 * The engine of release 0.8.0, `daos_io_server`, and the emulated one, which behaves as it does.
 *
 * @see DAOS 0.8.0 src/control/server/instance.go, src/control/server/ioserver/config.go
 */
export const dataPlane080: DataPlane = {
  release: "0.8.0",

  command: (config, { host, pid, nvmeConf, environment, ofiDomain }) => ({
    args: engineArguments(config, { shmId: sharedMemoryId(host, pid), nvmeConf }),
    env: engineEnvironment(config, environment, ofiDomain),
  }),

  setUp: (client, { ready, superblock }, { join, writeSuperblock }, options) =>
    setUpEngine(
      ready,
      superblock,
      {
        join,
        writeSuperblock,
        setRank: async (rank, wait) => (await client.call(drpcMethods.setRank, { rank }, wait)).status,
        createMs: async ({ bootstrap, uuid, address }, wait) =>
          (await client.call(drpcMethods.createMs, { bootstrap, uuid, addr: address }, wait)).status,
        startMs: async (wait) => (await client.call(drpcMethods.startMs, undefined, wait)).status,
        setUp: async (wait) => (await client.call(drpcMethods.setUp, undefined, wait)).status,
      },
      options,
    ),

  stop: async (client, { rank, force }, wait) =>
    (await client.call(drpcMethods.killRank, { rank, force }, wait)).status,

  // A method that the engine does not have makes an error line in its log each time.
  ping: async (client, wait) => {
    await client.call(drpcMethods.smdListDevs, {}, wait);
  },
};
