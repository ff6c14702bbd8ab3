import { CertInit } from "./commands/cert/init.ts";
import { CertIssue } from "./commands/cert/issue.ts";
import { CertRenew } from "./commands/cert/renew.ts";
import { CertStatus } from "./commands/cert/status.ts";
import { ConfigCheck } from "./commands/config/check.ts";
import { ConfigExplain } from "./commands/config/explain.ts";
import { ConfigGenerate } from "./commands/config/generate.ts";
import { ConfigSchema } from "./commands/config/schema.ts";
import { Explain } from "./commands/explain.ts";
import { MembersCheck } from "./commands/members/check.ts";
import { MembersMove } from "./commands/members/move.ts";
import { MembersRepair } from "./commands/members/repair.ts";
import { NetworkList } from "./commands/network/list.ts";
import { NetworkScan } from "./commands/network/scan.ts";
import { Start } from "./commands/start.ts";
import { StoragePrepare } from "./commands/storage/prepare.ts";
import { StorageScan } from "./commands/storage/scan.ts";
import { VersionCommand } from "./commands/version.ts";

/** Every command by its name; oclif reads this map (`strategy: "explicit"`). */
export const COMMANDS = {
  "cert:init": CertInit,
  "cert:issue": CertIssue,
  "cert:renew": CertRenew,
  "cert:status": CertStatus,
  "config:check": ConfigCheck,
  "config:explain": ConfigExplain,
  "config:generate": ConfigGenerate,
  "config:schema": ConfigSchema,
  explain: Explain,
  "members:check": MembersCheck,
  "members:move": MembersMove,
  "members:repair": MembersRepair,
  "network:list": NetworkList,
  "network:scan": NetworkScan,
  start: Start,
  "storage:prepare": StoragePrepare,
  "storage:scan": StorageScan,
  version: VersionCommand,
};
