import { hasErrorCode } from "./error-code.ts";
import type { CommandRunner } from "./run-command.ts";

/** A user and group by number. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The ids of a user, from every source that the system knows (files, LDAP); undefined when there is no such user.
 *
 * @param user a name, or a number
 */
export async function lookUpOwner(
  user: string,
  options: { readonly runner: CommandRunner; readonly signal?: AbortSignal | undefined },
): Promise<Owner | undefined> {
  // A name that begins with a dash would be an option of id.
  if (!/^[\w.][\w.@-]*\$?$/.test(user)) return undefined;
  const ids: number[] = [];
  for (const option of ["-u", "-g"]) {
    try {
      const { exitCode, stdout } = await options.runner.run(["id", option, user], { signal: options.signal });
      if (exitCode !== 0) return undefined;
      ids.push(Number(stdout.trim()));
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return undefined;
      throw error;
    }
  }
  const [uid, gid] = ids;
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}
