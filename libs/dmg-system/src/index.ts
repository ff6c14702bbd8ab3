import type { Topic } from "@daos/dmg-kit";
import { systemClearExcludeCommand } from "./clear-exclude.ts";
import { systemEraseCommand } from "./erase.ts";
import { systemEventsCommand } from "./events.ts";
import { systemExcludeCommand } from "./exclude.ts";
import { leaderQueryCommand } from "./leader-query.ts";
import { listPoolsCommand } from "./list-pools.ts";
import { systemMemberQueryCommand } from "./member-query.ts";
import { systemQueryCommand } from "./query.ts";
import { systemStartCommand } from "./start.ts";
import { systemStopCommand } from "./stop.ts";

/** `dmg system`. */
export const systemTopic: Topic = {
  name: "system",
  alias: "sy",
  summary: "The system as a whole and its management service",
  commands: [
    systemQueryCommand,
    systemMemberQueryCommand,
    leaderQueryCommand,
    listPoolsCommand,
    systemStopCommand,
    systemStartCommand,
    systemExcludeCommand,
    systemClearExcludeCommand,
    systemEraseCommand,
    systemEventsCommand,
  ],
};
