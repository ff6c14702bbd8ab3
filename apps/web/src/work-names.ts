import { web } from "@daos/proto";

/** The tasks on storage, in dmg's words. */
export const WORK_NAMES: Readonly<Record<web.WorkKind, string>> = {
  [web.WorkKind.NONE]: "Nothing",
  [web.WorkKind.PREPARE]: "Prepare",
  [web.WorkKind.FORMAT]: "Format",
  [web.WorkKind.BURN_IN]: "Burn in",
};
