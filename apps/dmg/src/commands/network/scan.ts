import { formatTable } from "@daos/cli";
import { formatHostAddress } from "@daos/hostlist";
import { defineCommand } from "../../define-command.ts";
import { groupHosts } from "../../output/group-hosts.ts";

/** `dmg network scan`. @see DAOS 0.8.0 src/control/cmd/dmg/network.go networkScanCmd */
export const networkScanCommand = defineCommand({
  name: "network scan",
  summary: "List the fabric interfaces of the hosts with the providers they support",
  examples: [
    { text: "All interfaces", line: "-l node[1-8] network scan" },
    { text: "Those for one provider", line: "network scan -p ofi+sockets" },
  ],
  flags: {
    provider: {
      type: "string",
      char: "p",
      value: "PROVIDER",
      summary: "only interfaces that support this provider",
    },
    all: { type: "boolean", char: "a", summary: "all providers (the default)" },
  },
  run: async ({ flags, connect, collect }) => {
    const provider = flags.all ? "" : (flags.provider ?? "");
    const { client } = await connect();
    const { networkScan } = await import("@daos/control-client");
    const { answers, failures } = await collect(client, networkScan(client, { provider }));
    return {
      result: {
        hosts: answers.map(({ host, value }) => ({ host: formatHostAddress(host), interfaces: value })),
      },
      text: (width) =>
        groupHosts(answers)
          .map(({ label, value }) => {
            const line = "-".repeat(Math.min(width, label.length));
            const rows = value.map(({ provider, device, numaNode }) => [`${numaNode}`, device, provider]);
            const table = formatTable({ columns: ["NUMA Node", "Interface", "Provider"], rows }, width);
            return [line, label, line, rows.length === 0 ? "No interfaces found" : table].join("\n");
          })
          .join("\n\n"),
      anySucceeded: answers.length > 0,
      failures,
    };
  },
});
