import type { Position, Problem, ServerConfig } from "@daos/config";
import { Fault } from "@daos/fault";
import { loadIdentity } from "@daos/security";
import { findEngineOf } from "./find-engine-of.ts";

/**
 * The problems that keep the server from starting on this host, besides the hardware: unusable certificates and a missing
 * engine program. Expired certificates do not keep it from starting.
 */
export async function startProblems(
  config: ServerConfig,
  options: { readonly positionOf: (key: string) => Position | undefined },
): Promise<readonly Problem[]> {
  const { transport, engines } = config;
  const problems: Problem[] = [];
  const attempt = async (key: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const message = `${error.message}; ${error.resolution}`;
      problems.push({ severity: "error", file: config.path, ...options.positionOf(key), key, message });
    }
  };
  if (!transport.allowInsecure) {
    const load = () => loadIdentity(transport, { roles: ["server"], onWrongDates: () => {} });
    await attempt("transport_config", load);
  }
  if (engines.length > 0) await attempt("engine", () => findEngineOf(config));
  return problems;
}
