import type { EngineConfig } from "@daos/config";
import type { Superblock } from "@daos/superblock";
import type { EngineClient } from "../engine-client.ts";
import type { EngineReady, SetUpOptions, SetUpPorts, SetUpResult } from "./set-up-engine.ts";

interface Wait {
  readonly signal: AbortSignal;
}

/** The settings of an engine's start besides its section of the configuration. */
interface CommandOptions {
  /** Name of this host. */
  readonly host: string;
  /** Process id of this server. */
  readonly pid: number;
  /** Path of the engine's configuration of its devices; absent without devices. */
  readonly nvmeConf?: string | undefined;
  /** The environment that the engine's own is put upon. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Name of the fabric domain, where the provider needs it. */
  readonly ofiDomain?: string | undefined;
}

/** The ports that setting up an engine needs outside its process. */
type OutsidePorts = Pick<SetUpPorts, "join" | "writeSuperblock">;

/**
 * The abilities and expectations of one release of the data plane. The instance knows nothing else about the engine:
 * neither its arguments, nor its dRPC methods, nor the order of its steps into service. Another release is another
 * implementation.
 */
export interface DataPlane {
  /** As in `0.8.0`. */
  readonly release: string;
  /** How an engine's process is started. */
  command(
    config: EngineConfig,
    options: CommandOptions,
  ): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
  /** Takes an engine that has announced itself into service. @throws Fault of the step that failed */
  setUp(
    client: EngineClient,
    engine: { readonly ready: EngineReady; readonly superblock: Superblock },
    ports: OutsidePorts,
    options: SetUpOptions,
  ): Promise<SetUpResult>;
  /** Asks the engine to end. @returns the engine's status: 0, or its refusal */
  stop(
    client: EngineClient,
    request: { readonly rank: number; readonly force: boolean },
    wait: Wait,
  ): Promise<number>;
  /** Pings the engine with a harmless call that every serving engine answers. */
  ping(client: EngineClient, wait: Wait): Promise<void>;
}
