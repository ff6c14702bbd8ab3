import type { Topic } from "@daos/dmg-kit";
import { blobstoreHealthCommand } from "./blobstore-health.ts";
import { storageBurnInCommand } from "./burn-in.ts";
import { storageFormatCommand } from "./format.ts";
import { nvmeHealthCommand } from "./nvme-health.ts";
import { storagePrepareCommand } from "./prepare.ts";
import { storageScanCommand } from "./scan.ts";
import { smdCommand } from "./smd.ts";
import { usageCommand } from "./usage.ts";

/** `dmg storage`. */
export const storageTopic: Topic = {
  name: "storage",
  alias: "st",
  summary: "Storage hardware of the hosts",
  subtopics: [{ name: "query", alias: "q", summary: "Health, metadata and use of storage" }],
  commands: [
    storageScanCommand,
    storagePrepareCommand,
    storageFormatCommand,
    storageBurnInCommand,
    nvmeHealthCommand,
    blobstoreHealthCommand,
    smdCommand,
    usageCommand,
  ],
};
