import type { Topic } from "@daos/dmg-kit";
import { setLogMasksCommand } from "./set-logmasks.ts";

/** `dmg server`, as in later releases of DAOS. */
export const serverTopic: Topic = {
  name: "server",
  summary: "The control plane of the hosts itself",
  commands: [setLogMasksCommand],
};
