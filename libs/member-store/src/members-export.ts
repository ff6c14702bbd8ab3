import { readFile, stat } from "node:fs/promises";
import { errorText } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import { MAX_MEMBERS } from "@daos/security";
import { hash } from "./document-checksum.ts";
import { decodeMember } from "./encode-member.ts";
import { decodePool, encodePool } from "./encode-pool.ts";
import { faultMembersNotMovable } from "./faults.ts";
import type { Member } from "./member.ts";
import type { PoolRecord } from "./pool-record.ts";

/** The members and the pools of a system at one time, in a file. */
export interface MembersExport {
  /** Name of the system. */
  readonly system: string;
  /** ISO 8601, by the clock of the host that wrote it. */
  readonly exportedAt: string;
  readonly members: readonly Member[];
  /** Empty in an export of a release that did not record pools. */
  readonly pools: readonly PoolRecord[];
}

const FORMAT = "daos-members";
/** Twice the size of the largest system's export. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** Encodes members and pools as JSON with a version and a checksum. The checksum ignores white space. */
export function encodeExport({ system, exportedAt, members, pools }: MembersExport): string {
  const documents = members.map((member) => ({
    version: 1,
    ...member,
    address: formatHostAddress(member.address),
  }));
  const poolDocuments = pools.map((pool) => JSON.parse(encodePool(pool)) as object);
  const content = {
    format: FORMAT,
    version: 1,
    system,
    exportedAt,
    members: documents,
    pools: poolDocuments,
  };
  return `${JSON.stringify({ ...content, checksum: hash(JSON.stringify(content)) }, undefined, 1)}\n`;
}

/**
 * Decodes what {@link encodeExport} wrote, and checks every member as a store does.
 *
 * @throws Error with the reason
 */
export function decodeExport(text: string): MembersExport {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw new Error("it is not a JSON object");
  const { checksum, ...content } = value as Readonly<Record<string, unknown>>;
  const { format, version, system, exportedAt, members, pools = [] } = content;
  if (format !== FORMAT) throw new Error(`it is not an export of members (format ${FORMAT})`);
  if (version !== 1)
    throw new Error(`its version is ${JSON.stringify(version)}, and this release reads version 1`);
  if (checksum !== hash(JSON.stringify(content))) throw new Error("it does not match its checksum");
  if (typeof system !== "string" || typeof exportedAt !== "string" || !Array.isArray(members))
    throw new Error("it has no system, time or members");
  if (!Array.isArray(pools)) throw new Error("its pools are not a list");
  if (members.length > MAX_MEMBERS)
    throw new Error(`it has ${members.length} members, and a system has at most ${MAX_MEMBERS}`);
  const decoded = members.map((member: unknown) => decodeMember(JSON.stringify(member)));
  for (const key of ["uuid", "rank"] as const) {
    if (new Set(decoded.map((member) => member[key])).size < decoded.length)
      throw new Error(`it has two members with the same ${key}`);
  }
  return { system, exportedAt, members: decoded, pools: decodePools(pools) };
}

function decodePools(pools: readonly unknown[]): readonly PoolRecord[] {
  const decoded = pools.map((pool) => decodePool(JSON.stringify(pool)));
  const labels = decoded.map(({ label }) => label).filter((label) => label !== "");
  if (new Set(decoded.map(({ uuid }) => uuid)).size < decoded.length)
    throw new Error("it has two pools with the same uuid");
  if (new Set(labels).size < labels.length) throw new Error("it has two pools with the same label");
  return decoded;
}

/** Reads an export from a file. @throws Fault membersNotMovable */
export async function readExport(path: string): Promise<MembersExport> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES)
      throw new Error(`it has ${size} bytes, and an export at most ${MAX_FILE_BYTES}`);
    return decodeExport(await readFile(path, "utf8"));
  } catch (error) {
    throw faultMembersNotMovable(
      errorText(error),
      "give a file that daos-server members export wrote, unchanged",
      { attempted: `take members from ${path}`, cause: error },
    );
  }
}
