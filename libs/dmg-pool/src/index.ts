import type { Topic } from "@daos/dmg-kit";
import { poolCreateCommand } from "./create.ts";
import { poolDeleteAclCommand } from "./delete-acl.ts";
import { poolDestroyCommand } from "./destroy.ts";
import { poolGetAclCommand } from "./get-acl.ts";
import { poolListCommand } from "./list.ts";
import { poolOverwriteAclCommand } from "./overwrite-acl.ts";
import { poolQueryCommand } from "./query.ts";
import { poolUpdateAclCommand } from "./update-acl.ts";

export { POOLS_FLAGS, poolsAnswer } from "./pools-answer.ts";

/** `dmg pool`. */
export const poolTopic: Topic = {
  name: "pool",
  alias: "p",
  summary: "Pools and their access control lists",
  commands: [
    poolCreateCommand,
    poolDestroyCommand,
    poolListCommand,
    poolQueryCommand,
    poolGetAclCommand,
    poolOverwriteAclCommand,
    poolUpdateAclCommand,
    poolDeleteAclCommand,
  ],
};
