import { dirname, join } from "node:path";
import { ACTIVE_CONFIG, checkServerFile, formatProblem, type ServerConfig } from "@daos/config";
import { errorText, FaultCode, hasCode } from "@daos/fault";
import { readTail, type SupportItem } from "@daos/support";
import type { GlobalValues } from "../global-flags.ts";
import { configItems, MAX_CONFIG } from "./host-items.ts";

/**
 * The configuration as far as it can be read. An archive is most useful when the server does not start with its configuration.
 */
interface FoundConfig {
  /** The readable part of a configuration with errors; undefined when nothing is readable. */
  readonly config: ServerConfig | undefined;
  readonly isValid: boolean;
  readonly items: readonly SupportItem[];
  /** Items that are missing in the archive, with the reason. */
  readonly missing: readonly { readonly item: string; readonly reason: string }[];
}

/** @throws Fault configNotFound for a named file that does not exist */
export async function findConfig({
  config: path,
  configFrom,
}: Pick<GlobalValues, "config" | "configFrom">): Promise<FoundConfig> {
  if (configFrom === "none") return unread([], "there is no configuration file");
  const asItStands = { name: "config/daos_server.yml", read: () => readTail(path, MAX_CONFIG) };
  const lastStart = join(dirname(path), ACTIVE_CONFIG);
  const items = [
    asItStands,
    { name: "config/of-last-start.yml", read: () => readTail(lastStart, MAX_CONFIG) },
  ];
  try {
    const { config, draft, problems } = await checkServerFile(path);
    if (config !== undefined) return { config, isValid: true, items: configItems(config), missing: [] };
    const lines = problems.map((problem) => `${formatProblem(problem)}\n`).join("");
    const all = [...items, { name: "config/problems.txt", read: async () => lines }];
    const errors = problems.filter(({ severity }) => severity === "error").map(formatProblem);
    const reason = `the configuration has errors: ${errors.join("; ")}`;
    if (draft === undefined) return unread(all, reason);
    const missing = [{ item: "config/in-force.yml", reason }];
    return { config: draft, isValid: false, items: all, missing };
  } catch (error) {
    if (hasCode(error, FaultCode.configNotFound)) throw error;
    return unread(items, errorText(error));
  }
}

function unread(items: readonly SupportItem[], reason: string): FoundConfig {
  const missing = [
    { item: "config/in-force.yml", reason },
    {
      item: "the files of logs, the certificates, members, events and metrics",
      reason: "their paths are in the configuration, which could not be read",
    },
  ];
  return { config: undefined, isValid: false, items, missing };
}
