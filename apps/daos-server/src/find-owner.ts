import type { ServerConfig } from "@daos/config";
import { lookUpGroup, lookUpUser, type Owner, ProcessCommandRunner } from "@daos/sys";
import { faultUnknownUser } from "./faults.ts";

/**
 * The owner of the storage that root formats: `user_name` and `group_name` of the configuration. Undefined for a normal user,
 * and for root without `user_name`.
 *
 * @throws Fault configInvalid for an unknown name
 */
export async function findOwner(
  config: Pick<ServerConfig, "userName" | "groupName">,
): Promise<Owner | undefined> {
  const { userName, groupName } = config;
  if (userName === undefined || userName === "" || process.geteuid?.() !== 0) return undefined;
  const user = await findUser(userName);
  if (groupName === undefined || groupName === "") return user;
  const gid = await lookUpGroup(groupName, { runner: new ProcessCommandRunner() });
  if (gid === undefined) throw faultUnknownUser("group", groupName);
  return { uid: user.uid, gid };
}

/** The ids of a user of this machine. @throws Fault configInvalid for an unknown name */
export async function findUser(name: string): Promise<Owner> {
  const user = await lookUpUser(name, { runner: new ProcessCommandRunner() });
  if (user === undefined) throw faultUnknownUser("user", name);
  return user;
}
