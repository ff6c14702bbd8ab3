import { readFile } from "node:fs/promises";
import { hasErrorCode, writeFileAtomic } from "@daos/sys";

/** The namespace that a configured device name stood for. */
interface NamespaceRecord {
  /** As the configuration names it, `/dev/pmem0`. */
  readonly device: string;
  /** Of the namespace, in lower case. */
  readonly uuid: string;
}

/** Records, by mount point, the namespaces on which storage was formatted. */
export interface NamespaceRecords {
  read(mount: string): Promise<NamespaceRecord | undefined>;
  /** Durable when it returns. */
  write(mount: string, record: NamespaceRecord): Promise<void>;
}

/** Records in a JSON file. A damaged file counts as empty: it is written anew at the next mount. */
export function fileRecords(path: string): NamespaceRecords {
  // Engines start at the same time: changes of the file follow each other.
  let last: Promise<unknown> = Promise.resolve();
  return {
    read: async (mount) => (await load(path))[mount],
    write: async (mount, record) => {
      const turn = last.then(async () => {
        const records = await load(path);
        const { device, uuid } = records[mount] ?? {};
        if (device === record.device && uuid === record.uuid) return;
        const text = `${JSON.stringify({ ...records, [mount]: record }, undefined, 1)}\n`;
        await writeFileAtomic(path, text, { mode: 0o644 });
      });
      last = turn.catch(() => {});
      await turn;
    },
  };
}

async function load(path: string): Promise<Readonly<Record<string, NamespaceRecord>>> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof value !== "object" || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter(([, record]) => isRecord(record)));
  } catch (error) {
    if (error instanceof SyntaxError || hasErrorCode(error, "ENOENT", "EACCES")) return {};
    throw error;
  }
}

function isRecord(value: unknown): value is NamespaceRecord {
  if (typeof value !== "object" || value === null) return false;
  const { device, uuid } = value as Readonly<Record<string, unknown>>;
  return typeof device === "string" && typeof uuid === "string";
}
