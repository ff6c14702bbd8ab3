import type { ControlClient, HostResult } from "./control-client.ts";
import { faultServerTooOld, isUnimplemented } from "./unimplemented.ts";

/** One engine of a host. */
export interface ServerEngine {
  readonly index: number;
  /** null until it has one. */
  readonly rank: number | null;
  /** As in `serving`. */
  readonly state: string;
  /** null while no process runs. */
  readonly pid: number | null;
  /** When its process was started, ms since 1970; null while none runs. */
  readonly startedAt: number | null;
  /** Since the server started. */
  readonly restarts: number;
}

/** One key of the configuration in force. */
export interface ServerConfigKey {
  /** As in `servers[0].scm_mount`. */
  readonly name: string;
  /** As YAML; environment variables by name only. */
  readonly value: string;
  /** As YAML; empty for none. */
  readonly default: string;
  readonly description: string;
  readonly allowed: string;
}

/** A server and its engines. */
export interface ServerInfo {
  readonly version: string;
  readonly pid: number;
  /** ms since 1970. */
  readonly startedAt: number;
  readonly engines: readonly ServerEngine[];
  readonly configFile: string;
  /** Empty unless it was asked for. */
  readonly config: readonly ServerConfigKey[];
}

/** Asks every host for its server, with the configuration in force if `config` is set. */
export function serverQuery(
  client: ControlClient,
  { config }: { readonly config: boolean },
): AsyncGenerator<HostResult<ServerInfo>> {
  return client.eachHost({
    attempted: "query the server",
    timeoutMs: 30_000,
    call: async (connection, options): Promise<ServerInfo> => {
      try {
        const answer = await connection.ctl.serverQuery({ config }, options);
        const { version, pid, started, configFile } = answer;
        const engines = answer.engines.map(({ index, rank = null, state, restarts, ...process }) => ({
          index,
          rank,
          state,
          pid: process.pid === 0 ? null : process.pid,
          startedAt: process.started === 0n ? null : Number(process.started),
          restarts,
        }));
        const keys = answer.config.map(({ name, value, defaultValue, description, allowed }) => ({
          name,
          value,
          default: defaultValue,
          description,
          allowed,
        }));
        return { version, pid, startedAt: Number(started), engines, configFile, config: keys };
      } catch (error) {
        if (!isUnimplemented(error)) throw error;
        throw faultServerTooOld("query the server", "", connection, error);
      }
    },
  });
}
