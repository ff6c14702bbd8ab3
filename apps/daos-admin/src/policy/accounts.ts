import { readFile } from "node:fs/promises";
import type { Owner } from "@daos/sys";

/** The texts of `/etc/passwd` and `/etc/group`. Users of a directory service are given by number: `1234:1234`. */
export interface Accounts {
  readonly passwd: string;
  readonly group: string;
}

export async function readAccounts(): Promise<Accounts> {
  const [passwd, group] = await Promise.all(
    ["/etc/passwd", "/etc/group"].map((path) => readFile(path, "utf8")),
  );
  return { passwd: passwd ?? "", group: group ?? "" };
}

/**
 * The ids of `user`, `user:group` or `1000:1000`. Without a group it is the user's primary group. Undefined for an
 * unknown user or group.
 */
export function resolveOwner(text: string, accounts: Accounts): Owner | undefined {
  const [user = "", group, ...more] = text.split(":");
  if (more.length > 0) return undefined;
  const entry = fieldsOf(accounts.passwd, user);
  const uid = entry === undefined ? number(user) : number(entry[2]);
  const gid = group === undefined ? number(entry?.[3]) : (number(group) ?? groupId(group, accounts));
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/** The number of a group; undefined for an unknown group. */
export function groupId(name: string, accounts: Accounts): number | undefined {
  return number(fieldsOf(accounts.group, name)?.[2]);
}

function fieldsOf(text: string, name: string): string[] | undefined {
  return text
    .split("\n")
    .map((line) => line.split(":"))
    .find((fields) => fields[0] === name && fields.length > 3);
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) < 4294967295
    ? Number(text)
    : undefined;
}
