import { hasErrorCode } from "@daos/sys";
import { commandTools } from "../../command-tools.ts";
import { defineCommand } from "../../define-command.ts";

/** `daos-server members restore`. */
export const membersRestoreCommand = defineCommand({
  name: "members restore",
  summary: "Restore a lost store from this host's copy of the members",
  description:
    "A leader copies the members to its state directory within two seconds after a change. Run this on the access point that led last, while no access point leads. The output shows the time of the copy; --dry-run shows it without any change. Later changes are lost: check the members with dmg system query --verbose. Otherwise it works like daos-server members import.",
  examples: [
    {
      text: "First check the copy on every access point",
      line: "members restore -o /etc/daos/daos_server.yml --dry-run",
    },
    { text: "Then restore where the copy is newest", line: "members restore -o /etc/daos/daos_server.yml" },
  ],
  flags: {
    "dry-run": {
      type: "boolean",
      summary: "read and check the copy and show the members, but change nothing",
    },
    force: { type: "boolean", summary: "replace the members that the store has" },
  },
  run: async ({ flags }) => {
    const { loadServerConfig } = await import("@daos/config");
    const config = await loadServerConfig(flags.config);
    const { faultMembersNotMovable } = await import("@daos/member-store");
    const faultNoCopy = (reason: string) =>
      faultMembersNotMovable(
        `this host has no copy of them: ${reason}`,
        "run it on an access point that has led, as its server's user; or use daos-server members import FILE",
        { attempted: "restore the members of the system" },
      );
    const tools = await commandTools(flags);
    // Loaded here, because the other commands do not need etcd.
    const [{ openMembersState }, { importMembers }] = await Promise.all([
      import("../../members-state.ts"),
      import("../../import-members.ts"),
    ]);
    const state = await openMembersState(config, tools.log);
    if (state === undefined) throw faultNoCopy("it has no state directory");
    const { copyPath: from } = state;
    return importMembers(config, { from, force: flags.force, dryRun: flags["dry-run"], ...tools }).catch(
      (error: unknown) => {
        throw isMissing(error) ? faultNoCopy(`there is no ${from}`) : error;
      },
    );
  },
});

function isMissing(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return hasErrorCode(cause, "ENOENT");
}
