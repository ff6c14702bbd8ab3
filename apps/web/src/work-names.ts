import { web } from "@daos/proto";

/** What can be done to storage, as dmg names it. */
export const WORK_NAMES: Readonly<Record<web.WorkKind, string>> = {
  [web.WorkKind.NONE]: "Nothing",
  [web.WorkKind.PREPARE]: "Prepare",
  [web.WorkKind.FORMAT]: "Format",
  [web.WorkKind.BURN_IN]: "Burn in",
};
