import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { faultPageMissing } from "./faults.ts";

/** One file of the page. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  /** Its name has the hash of its content, so it never changes. */
  readonly immutable: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * Reads the files of the page into memory. Only these are served, whatever path a request names.
 *
 * @returns by path: `/`, `/main-AB12CD34.js`
 * @throws Fault webPageMissing
 */
export async function readPageFiles(directory: string): Promise<ReadonlyMap<string, PageFile>> {
  try {
    const files = new Map<string, PageFile>();
    for (const name of await readdir(directory)) {
      const type = TYPES[extname(name)];
      if (type === undefined) continue;
      const body = await readFile(join(directory, name));
      files.set(name === "index.html" ? "/" : `/${name}`, {
        type,
        body,
        immutable: /-[A-Z0-9]{8}\./.test(name),
      });
    }
    if (!files.has("/")) throw new Error("there is no index.html");
    return files;
  } catch (error) {
    throw faultPageMissing(directory, error);
  }
}
