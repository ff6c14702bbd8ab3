import { printable } from "@daos/cli";
import { formatHostAddress } from "@daos/hostlist";
import { defineCommand } from "../../define-command.ts";
import { groupHosts } from "../../output/group-hosts.ts";

/** `dmg network list`. @see DAOS 0.8.0 src/control/cmd/dmg/network.go networkListCmd */
export const networkListCommand = defineCommand({
  name: "network list",
  summary: "List the fabric providers that the hosts know",
  examples: [{ text: "All hosts", line: "-l node[1-8] network list" }],
  flags: {},
  run: async ({ connect, collect }) => {
    const { client } = await connect();
    const { networkListProviders } = await import("@daos/control-client");
    const { answers, failures } = await collect(client, networkListProviders(client));
    return {
      result: {
        hosts: answers.map(({ host, value }) => ({ host: formatHostAddress(host), providers: value })),
      },
      text: (width) =>
        groupHosts(answers)
          .map(({ label, value }) => {
            const line = "-".repeat(Math.min(width, label.length));
            return [
              line,
              label,
              line,
              ...(value.length === 0 ? ["No providers"] : value.map(printable)),
            ].join("\n");
          })
          .join("\n\n"),
      anySucceeded: answers.length > 0,
      failures,
    };
  },
});
