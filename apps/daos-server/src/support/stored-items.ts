import type { ServerConfig } from "@daos/config";
import type { Logger } from "@daos/log";
import type { SupportItem } from "@daos/support";
import { checkMembers, storedEvents } from "../repair-members.ts";
import { jsonText } from "./json-text.ts";

/** The maximum length of the metrics page, characters. */
const MAX_METRICS = 4 * 1024 * 1024;

/** The items that a command gets from the stores of this host, and from its server if it runs. */
export function storedItems(config: ServerConfig, { log }: { readonly log: Logger }): readonly SupportItem[] {
  return [
    {
      name: "members.json",
      read: async ({ signal }) => {
        const { where, members, pools, ...others } = await checkMembers(config, { log, signal });
        const unreadable = [...others.unreadable, ...others.unreadablePools];
        return jsonText({ where, members, pools, unreadable });
      },
    },
    {
      name: "events.json",
      read: async ({ signal }) => jsonText(await storedEvents(config, { log, signal })),
    },
    { name: "metrics.txt", read: (wait) => readMetrics(config, wait) },
  ];
}

async function readMetrics(
  { telemetryPort, telemetryAddress, telemetryTls }: ServerConfig,
  { signal }: { readonly signal: AbortSignal },
): Promise<string> {
  if (telemetryPort === undefined) throw new Error("telemetry_port is not set");
  if (telemetryTls)
    throw new Error("telemetry_tls is set: dmg support collect-log gets them from the server");
  const host = telemetryAddress ?? "localhost";
  const shown = host.includes(":") ? `[${host}]` : host;
  const answer = await fetch(`http://${shown}:${telemetryPort}/metrics`, { signal });
  return (await answer.text()).slice(0, MAX_METRICS);
}
