import { execFile } from "node:child_process";
import { userInfo } from "node:os";
import { promisify } from "node:util";
import { faultUsage } from "@daos/cli";

/** The longest name of a user or group with its `@` and domain. @see DAOS 0.8.0 daos_security.h DAOS_ACL_MAX_PRINCIPAL_LEN */
const MAX_PRINCIPAL = 255;

/** `name@` or `name@domain`. Directory services have names with blanks, as in `domain users@`. */
export function isPrincipal(text: string): boolean {
  return text.length <= MAX_PRINCIPAL && /^[^\p{Cc}@:]*[^\p{Cc}\s@:][^\p{Cc}@:]*@[^\p{Cc}@:]*$/u.test(text);
}

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
