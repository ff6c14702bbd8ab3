import { commandTools } from "../../command-tools.ts";
import { defineCommand } from "../../define-command.ts";

/** `daos-server members restore`. */
export const membersRestoreCommand = defineCommand({
  name: "members restore",
  summary: "Give a lost store the members as this host last saw them",
  description:
    "A leader copies the members to its state directory within two seconds after a change. Run this on the access point that led last, while no access point leads; the time of the copy is shown, and --dry-run shows it without changing anything. What has changed later is lost: look through the members with dmg system query --verbose. Otherwise it is as daos-server members import.",
  examples: [
    {
      text: "Look first, on every access point",
      line: "members restore -o /etc/daos/daos_server.yml --dry-run",
    },
    { text: "Then where the copy is newest", line: "members restore -o /etc/daos/daos_server.yml" },
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
    // Loaded here: the other commands do without etcd.
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
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}
