import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";

/** The archives of the hosts in files of one directory, written as they arrive. */
export class ArchiveFiles implements AsyncDisposable {
  readonly #directory: string;
  readonly #files = new Map<string, Promise<FileHandle>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The archive of a host: `10.0.0.1_10001.tar.gz`. */
  of(host: HostAddress): { readonly path: string; readonly name: string } {
    const name = `${formatHostAddress(host).replace(/[^\w.-]/g, "_")}.tar.gz`;
    return { path: join(this.#directory, name), name };
  }

  async write(host: HostAddress, bytes: Uint8Array): Promise<void> {
    const { path } = this.of(host);
    const file = this.#files.get(path) ?? open(path, "w", 0o600);
    this.#files.set(path, file);
    await (await file).writeFile(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files.values()) await (await file).close();
  }
}
