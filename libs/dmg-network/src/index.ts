import type { Topic } from "@daos/dmg-kit";
import { networkListCommand } from "./list.ts";
import { networkScanCommand } from "./scan.ts";

/** `dmg network`. */
export const networkTopic: Topic = {
  name: "network",
  alias: "n",
  summary: "Fabric interfaces of the hosts",
  commands: [networkScanCommand, networkListCommand],
};
