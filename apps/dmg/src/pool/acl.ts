import { type FlagDefinition, printable } from "@daos/cli";
import { type Answer, success } from "../answer.ts";

/** Flags of the ACL commands. */
export const poolFlag = {
  type: "string",
  value: "POOL",
  required: true,
  summary: "the pool: its label, its uuid, or at least 4 first digits of it",
  complete: "pools",
} as const satisfies FlagDefinition;
export const aclFileFlag = {
  type: "string",
  char: "a",
  value: "FILE",
  summary: "access control list, one entry a line",
  complete: "files",
} as const satisfies FlagDefinition;

/** The answer of the ACL commands: the list, in the format of --acl-file. */
export function aclAnswer(pool: string, acl: readonly string[]): Answer {
  return success({ pool, acl }, () =>
    ["# Entries:", ...(acl.length === 0 ? ["#   None"] : acl.map(printable))].join("\n"),
  );
}
