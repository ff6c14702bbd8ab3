import type { ServerConfig } from "@daos/config";
import { countOf } from "@daos/fault";
import { readExport } from "@daos/member-store";
import type { commandTools } from "./command-tools.ts";
import type { Answer } from "./define-command.ts";
import { replaceMembers } from "./replace-members.ts";
import { listMember, listPool, memberLine, poolLine } from "./show-member.ts";

export interface ImportOptions extends Awaited<ReturnType<typeof commandTools>> {
  /** The path of the export. */
  readonly from: string;
  readonly force: boolean;
  /** Reads and checks the export, but changes nothing. */
  readonly dryRun: boolean;
}

/** Imports the members of an export into the store of a configuration. @throws Fault of the export or of the store */
export async function importMembers(
  config: ServerConfig,
  { from, force, dryRun, ...tools }: ImportOptions,
): Promise<Answer> {
  const exported = await readExport(from);
  const { exportedAt, members, pools } = exported;
  const attempted = `take members from ${from}`;
  const where = config.systemDb.kind === "etcd" ? "etcd" : "the members' file";
  const done = dryRun
    ? { where, replaced: 0, movedAside: undefined }
    : await replaceMembers(config, exported, { attempted, force, ...tools });
  const { movedAside } = done;
  return {
    result: {
      from,
      exportedAt,
      ...done,
      dryRun,
      members: members.map(listMember),
      pools: pools.map(listPool),
    },
    lines: [
      ...members.map(memberLine),
      ...pools.map(poolLine),
      `${from}: ${countOf(members.length, "member")} and ${countOf(pools.length, "pool")} of ${config.name} as they were at ${exportedAt}`,
      ...(dryRun ? ["nothing has been changed"] : [`${done.where}: has these members now`]),
      ...(done.replaced === 0 ? [] : [`members that it had before and that are replaced: ${done.replaced}`]),
      ...(movedAside === undefined ? [] : [`${movedAside}: the damaged file`]),
    ],
  };
}
