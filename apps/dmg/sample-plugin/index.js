// A plugin of dmg. Link it with: dmg plugins link apps/dmg/sample-plugin
import { defineCommand, formatTable, oclifCommands } from "@daos/dmg";

/** `dmg hosts devices`: how many devices each host has. Global flags, JSON, messages and exit codes come with dmg. */
const devices = defineCommand({
  name: "hosts devices",
  summary: "Count the devices of every host",
  examples: [{ text: "All hosts", line: "hosts devices -l node[1-8]" }],
  flags: {
    minimum: {
      type: "integer",
      value: "N",
      min: 0,
      max: 1000,
      default: 0,
      summary: "only hosts with so many",
    },
  },
  run: async ({ flags, connect, collect }) => {
    const { client } = await connect();
    const { storageScan } = await import("@daos/control-client");
    const { answers, failures } = await collect(client, storageScan(client));
    const hosts = answers
      .map(({ host, value }) => ({
        host: `${host.host}:${host.port}`,
        devices: value.nvme.controllers.length,
      }))
      .filter((entry) => entry.devices >= flags.minimum);
    const rows = hosts.map(({ host, devices }) => [host, `${devices}`]);
    return {
      result: { hosts },
      text: (width) => formatTable({ columns: ["Host", "Devices"], rows }, width),
      anySucceeded: answers.length > 0,
      failures,
    };
  },
});

export const COMMANDS = oclifCommands({
  name: "hosts",
  summary: "The hosts of the system",
  commands: [devices],
});

/** The output format csv, for every command whose result is a list: `dmg system member-query --format csv`. */
export async function formatCsv({ format, document }) {
  if (format !== "csv") return undefined;
  const rows = Object.values(document.result ?? {}).find(Array.isArray) ?? [];
  const columns = Object.keys(rows[0] ?? {});
  const cell = (value) => JSON.stringify(typeof value === "object" ? JSON.stringify(value) : String(value));
  return [columns.join(","), ...rows.map((row) => columns.map((name) => cell(row[name])).join(","))].join(
    "\n",
  );
}
