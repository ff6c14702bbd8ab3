import type { CommandRunner, RunOptions } from "./run-command.ts";

/** A user and group by number. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

interface LookUpOptions extends Pick<RunOptions, "signal"> {
  readonly runner: CommandRunner;
}

/**
 * The ids of a user, from every source that the system knows (files, LDAP); undefined when there is no such user.
 *
 * @param user a name, or a number
 */
export async function lookUpUser(user: string, options: LookUpOptions): Promise<Owner | undefined> {
  const entry = await lookUp("passwd", user, options);
  return entry === undefined ? undefined : { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/** The id of a group, as {@link lookUpUser} finds it. */
export async function lookUpGroup(group: string, options: LookUpOptions): Promise<number | undefined> {
  const entry = await lookUp("group", group, options);
  return entry === undefined ? undefined : Number(entry[2]);
}

/** The fields of an entry. passwd: name:password:uid:gid:...; group: name:password:gid:... */
async function lookUp(
  database: "passwd" | "group",
  name: string,
  { runner, signal }: LookUpOptions,
): Promise<readonly string[] | undefined> {
  if (name.startsWith("-")) return undefined;
  const { exitCode, stdout } = await runner.run(["getent", "--", database, name], { signal });
  return exitCode === 0 ? stdout.trim().split(":") : undefined;
}
