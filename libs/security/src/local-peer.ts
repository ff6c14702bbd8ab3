import { readFile } from "node:fs/promises";
import type { Fault } from "@daos/fault";
import { faultLocalPeer } from "./faults.ts";

/** The peer of a local socket, as the kernel reports it (SO_PEERCRED). */
export interface LocalPeer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export interface CheckLocalPeerOptions {
  /** The server's own user and group; those of this process by default. */
  readonly self?: { readonly uid: number; readonly gid: number } | undefined;
  /** The supplementary groups of a process; from `/proc` by default. */
  readonly groupsOf?: ((pid: number) => Promise<readonly number[]>) | undefined;
}

/**
 * The fault when a local peer is neither root, nor the server's user, nor in the server's group; `undefined` when it may
 * call. The mode of the socket file, 0660, has the same effect. This check holds also after the mode has been changed.
 */
export async function checkLocalPeer(
  peer: LocalPeer,
  options: CheckLocalPeerOptions = {},
): Promise<Fault | undefined> {
  const { self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }, groupsOf = readGroups } =
    options;
  if (peer.uid === 0 || peer.uid === self.uid || peer.gid === self.gid) return undefined;
  const groups = await groupsOf(peer.pid).catch((): readonly number[] => []);
  return groups.includes(self.gid) ? undefined : faultLocalPeer(peer);
}

async function readGroups(pid: number): Promise<readonly number[]> {
  return parseGroups(await readFile(`/proc/${pid}/status`, "utf8"));
}

/** The groups in the text of `/proc/<pid>/status`: `Groups:	4 24 1000 `. @see man 5 proc_pid_status */
export function parseGroups(status: string): readonly number[] {
  const [, text = ""] = /^Groups:[ \t]*(.*)$/m.exec(status) ?? [];
  return text.split(/\s+/).filter(Boolean).map(Number);
}
