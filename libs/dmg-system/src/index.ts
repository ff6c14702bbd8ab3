import type { Topic } from "@daos/dmg-kit";
import { leaderQueryCommand } from "./leader-query.ts";
import { listPoolsCommand } from "./list-pools.ts";
import { systemMemberQueryCommand } from "./member-query.ts";
import { systemStopCommand } from "./stop.ts";

/** `dmg system`. */
export const systemTopic: Topic = {
  name: "system",
  alias: "sy",
  summary: "The system as a whole and its management service",
  commands: [systemMemberQueryCommand, leaderQueryCommand, listPoolsCommand, systemStopCommand],
};
