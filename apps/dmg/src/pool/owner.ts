import { execFile } from "node:child_process";
import { userInfo } from "node:os";
import { promisify } from "node:util";
import { isPrincipal, MAX_PRINCIPAL } from "@daos/acl";
import { faultUsage } from "@daos/cli";

/** The name of a user or group in the form of ACLs: `name@`. A name with an `@` is kept. @throws Fault usage */
export function toPrincipal(name: string): string {
  const principal = name.includes("@") ? name : `${name}@`;
  if (!isPrincipal(principal)) {
    throw faultUsage(
      `"${name}" cannot be a user or a group`,
      `use a name without colons and of at most ${MAX_PRINCIPAL} characters with its @, as in ana, "domain users" or ana@`,
    );
  }
  return principal;
}

/** The user who runs dmg. @throws Fault usage when that user has no name */
export function currentUser(): string {
  try {
    return userInfo().username;
  } catch (error) {
    throw faultUsage("your user id has no name", "name the owner with -u", error);
  }
}

/** The primary group of the user who runs dmg. It runs `id`, which uses every name service. @throws Fault usage */
export async function currentGroup(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("id", ["-gn"]);
    return stdout.trim();
  } catch (error) {
    throw faultUsage("your primary group has no name", "name the owning group with -g", error);
  }
}
