import type { MoveResult } from "@daos/election";
import { commandTools } from "../../command-tools.ts";
import { defineCommand } from "../../define-command.ts";
import { listMember, listPool, memberLine, poolLine } from "../../show-member.ts";

/** `daos-server members move`. */
export const membersMoveCommand = defineCommand({
  name: "members move",
  summary: "Move the members of a system with one access point to etcd",
  description:
    "Run it once, on the host that was the only access point, with a configuration whose system_db is etcd, while no access point runs. The members are written to etcd in one commit, and their file is renamed. A failed move changes nothing, and can be repeated.",
  examples: [
    { text: "Look first", line: "members move -o /etc/daos/daos_server.yml --dry-run" },
    { text: "Then move", line: "members move -o /etc/daos/daos_server.yml" },
  ],
  flags: {
    "dry-run": { type: "boolean", summary: "check everything and show the members, but change nothing" },
  },
  run: async ({ flags }) => {
    const { loadServerConfig } = await import("@daos/config");
    const config = await loadServerConfig(flags.config);
    const dryRun = flags["dry-run"];
    // Loaded here, because the other commands do not need etcd.
    const { moveToEtcd } = await import("@daos/election");
    const moved = await moveToEtcd(config, { dryRun, ...(await commandTools(flags)) });
    const { from, movedFile, endpoints, members, pools, wereThere } = moved;
    return {
      result: {
        from,
        movedFile,
        endpoints,
        wereThere,
        members: members.map(listMember),
        pools: pools.map(listPool),
      },
      lines: [...members.map(memberLine), ...pools.map(poolLine), ...whatWasDone(moved, config.name)],
    };
  },
});

function whatWasDone(
  { from, movedFile, endpoints, members, wereThere }: MoveResult,
  system: string,
): readonly string[] {
  const what = `members of ${system}`;
  const etcd = `etcd (${endpoints.join(", ")}): ${members.length}`;
  if (movedFile === undefined) {
    return [
      wereThere ? `${what} that are in ${etcd}` : `${what} that can be moved to ${etcd}`,
      `nothing has been changed: they are in ${from}`,
    ];
  }
  return [
    wereThere ? `${what} that were in ${etcd}` : `${what} moved to ${etcd}`,
    `${movedFile}: their former file, no longer used`,
    "next: start daos-server on every access point",
  ];
}
