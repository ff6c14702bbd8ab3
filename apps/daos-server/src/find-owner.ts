import type { ServerConfig } from "@daos/config";
import type { Fault } from "@daos/fault";
import type { Owner } from "@daos/instance";
import { ProcessCommandRunner } from "@daos/sys";
import { faultUnknownUser } from "./faults.ts";

/**
 * Who shall own what root formats: `user_name` and `group_name` of the configuration. Undefined for a normal user, and
 * for root without `user_name`.
 *
 * @throws Fault configInvalid for a name that the machine does not know
 */
export async function findOwner(
  config: Pick<ServerConfig, "userName" | "groupName">,
): Promise<Owner | undefined> {
  const { userName, groupName } = config;
  if (userName === undefined || userName === "" || process.geteuid?.() !== 0) return undefined;
  const user = await findUser(userName);
  if (groupName === undefined || groupName === "") return user;
  const group = await lookUp("group", groupName, faultUnknownUser("group", groupName));
  return { uid: user.uid, gid: Number(group[2]) };
}

/** The ids of a user of this machine. @throws Fault configInvalid for a name that it does not know */
export async function findUser(name: string): Promise<Owner> {
  const passwd = await lookUp("passwd", name, faultUnknownUser("user", name));
  return { uid: Number(passwd[2]), gid: Number(passwd[3]) };
}

/** The fields of an entry. passwd: name:password:uid:gid:...; group: name:password:gid:... */
async function lookUp(
  database: "passwd" | "group",
  name: string,
  unknown: Fault,
): Promise<readonly string[]> {
  const { exitCode, stdout } = await new ProcessCommandRunner().run(["getent", "--", database, name]);
  if (exitCode !== 0) throw unknown;
  return stdout.trim().split(":");
}
