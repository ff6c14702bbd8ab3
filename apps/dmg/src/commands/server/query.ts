import { formatTable } from "@daos/cli";
import type { ServerInfo } from "@daos/control-client";
import { formatHostAddress } from "@daos/hostlist";
import { defineCommand } from "../../define-command.ts";
import { groupHosts } from "../../output/group-hosts.ts";

/** `dmg server query`. */
export const serverQueryCommand = defineCommand({
  name: "server query",
  summary: "Show the servers, their engines' processes and their configuration",
  description:
    "For each host it shows the release and the start time of its daos_server, and the process of each engine with its start time and the number of restarts. --config also shows the configuration in force, in groups of equal hosts. A star marks values other than the default. The engines' environment variables are shown without their values.",
  examples: [
    { text: "All hosts", line: "server query" },
    { text: "The configuration of two hosts", line: "-l node[1-2] server query --config" },
  ],
  flags: { config: { type: "boolean", summary: "with the configuration in force" } },
  run: async ({ flags, connect, collect }) => {
    const { client } = await connect();
    const { serverQuery } = await import("@daos/control-client");
    const { answers, failures } = await collect(client, serverQuery(client, { config: flags.config }));
    return {
      result: {
        hosts: answers.map(({ host, value }) => {
          const { config, configFile, startedAt, ...server } = value;
          return {
            host: formatHostAddress(host),
            ...server,
            started: time(startedAt),
            engines: server.engines.map(({ startedAt: engineStartedAt, ...engine }) => ({
              ...engine,
              started: time(engineStartedAt),
            })),
            configFile,
            ...(flags.config && { config }),
          };
        }),
      },
      text: (width) => {
        if (answers.length === 0) return "";
        const columns = [
          "Host",
          "Version",
          "Server since",
          "Engine",
          "Rank",
          "State",
          "PID",
          "Engine since",
          "Restarts",
        ];
        const rows = answers.flatMap(({ host, value }) => rowsOf(formatHostAddress(host), value));
        const servers = formatTable({ columns, rows }, width);
        if (!flags.config) return servers;
        const configs = groupHosts(answers, ({ config }) => JSON.stringify(config)).map(
          ({ label, value }) => {
            const keys = value.config.map((key) => [
              key.value === key.default ? "" : "*",
              key.name,
              key.value,
            ]);
            return `${label}: ${value.configFile}\n${formatTable({ columns: ["", "Key", "Value"], rows: keys }, width)}`;
          },
        );
        return [servers, ...configs].join("\n\n");
      },
      anySucceeded: answers.length > 0,
      failures,
    };
  },
});

function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** The time to the second, as in the table of events. */
function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

/** A line for each engine, or one for a server without any. */
function rowsOf(host: string, { version, startedAt, engines }: ServerInfo): string[][] {
  const server = [host, version, timeText(startedAt)];
  if (engines.length === 0) return [[...server, "-", "-", "-", "-", "-", "-"]];
  return engines.map((engine) => [
    ...server,
    `${engine.index}`,
    `${engine.rank ?? "-"}`,
    engine.state,
    `${engine.pid ?? "-"}`,
    engine.startedAt === null ? "-" : timeText(engine.startedAt),
    `${engine.restarts}`,
  ]);
}
