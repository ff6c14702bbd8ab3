import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { ServerConfig } from "@daos/config";
import type { Logger } from "@daos/log";
import { encodeExport, MarkerFile, type Member, type PoolRecord, readExport } from "@daos/member-store";
import { exists, writeFileAtomic } from "@daos/sys";
import { findStateDirectory, stateDirectories } from "./state-directory.ts";

/** This host's records of the system's members outside their store, in its state directory. */
export interface MembersState {
  /**
   * The latest generation and revision of etcd that this host has seen. A file that cannot be read or written is logged, and
   * treated as absent.
   */
  readonly marker: Pick<MarkerFile, "read" | "write">;
  /** The path of the members' copy: an export that this host last wrote as the leader. */
  readonly copyPath: string;
  saveCopy(members: readonly Member[], pools: readonly PoolRecord[]): Promise<void>;
  /** @returns no members when there is no copy @throws Fault membersNotMovable for a damaged copy */
  readCopy(): Promise<readonly Member[]>;
  /** Renames the copy, so that the next term on this host starts a new one. @returns the new name; undefined without a copy */
  keepAside(): Promise<string | undefined>;
}

/**
 * Opens the records in the first state directory that this process may write to; undefined when there is none. A newer marker
 * in another state directory, written by another user's process, is taken over.
 */
export async function openMembersState(config: ServerConfig, log: Logger): Promise<MembersState | undefined> {
  const { path, socketDir, name, port } = config;
  const directories = stateDirectories(path, socketDir);
  const directory = await findStateDirectory(directories, log);
  if (directory === undefined) {
    log.warn("a store of members that comes back empty is not noticed: no state directory can be written", {
      tried: directories,
    });
    return undefined;
  }
  // Several servers of one host may share the directory.
  const base = `members-${name}-${port}`;
  const marker = new MarkerFile(join(directory, `${base}.marker`));
  for (const other of directories.filter((one) => one !== directory))
    takeOver(marker, new MarkerFile(join(other, `${base}.marker`)), log);
  const copyPath = join(directory, `${base}.json`);
  return {
    marker: tolerant(marker, log),
    copyPath,
    saveCopy: async (members, pools) => {
      const exportedAt = new Date().toISOString();
      const text = encodeExport({ system: name, exportedAt, members, pools });
      await writeFileAtomic(copyPath, text, { mode: 0o600 });
    },
    readCopy: async () => ((await exists(copyPath)) ? (await readExport(copyPath)).members : []),
    keepAside: async () => {
      if (!(await exists(copyPath))) return undefined;
      const aside = `${copyPath}.${new Date().toISOString().replaceAll(":", "")}`;
      await rename(copyPath, aside);
      return aside;
    },
  };
}

/** Ignores failures of the marker file: it must not keep the host from leading. */
function tolerant(marker: MarkerFile, log: Logger): Pick<MarkerFile, "read" | "write"> {
  const { path } = marker;
  const warn = (error: unknown) =>
    log.warn("a store of members that comes back empty may not be noticed: the marker cannot be used", {
      path,
      reason: String(error),
    });
  return {
    read: () => {
      try {
        return marker.read();
      } catch (error) {
        warn(error);
        return { kind: "absent" };
      }
    },
    write: (identity) => {
      try {
        marker.write(identity);
      } catch (error) {
        warn(error);
      }
    },
  };
}

function takeOver(marker: MarkerFile, other: MarkerFile, log: Logger): void {
  try {
    const [ours, theirs] = [marker.read(), other.read()];
    if (theirs.kind !== "seen") return;
    const newer =
      ours.kind !== "seen" ||
      theirs.identity.generation > ours.identity.generation ||
      (theirs.identity.generation === ours.identity.generation &&
        theirs.identity.revision > ours.identity.revision);
    if (newer) marker.write(theirs.identity);
  } catch (error) {
    log.debug("a marker of the members cannot be read", { path: other.path, error });
  }
}
