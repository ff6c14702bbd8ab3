import { basename, dirname, join, normalize, resolve } from "node:path";
import type { SysTree } from "../sys-tree.ts";

type Reaction = (value: string, tree: FakeSysTree) => void | Promise<void>;

/** A {@link SysTree} in memory: files, links, and reactions to what is written, as the kernel has them. */
export class FakeSysTree implements SysTree {
  readonly #files = new Map<string, string>();
  readonly #links = new Map<string, string>();
  readonly #reactions: (readonly [path: RegExp, reaction: Reaction])[] = [];
  /** Every write so far, as `PATH=VALUE`. */
  readonly writes: string[] = [];

  /** Adds files: `{ "/sys/a/b": "value" }`. */
  files(files: Readonly<Record<string, string>>): this {
    for (const [path, text] of Object.entries(files)) this.#files.set(this.#real(normalize(path)), text);
    return this;
  }

  /** Adds a link; `target` may be relative to the link's directory. */
  link(path: string, target: string): this {
    const directory = this.#real(dirname(path));
    this.#links.set(join(directory, basename(path)), resolve(directory, target));
    return this;
  }

  /** Removes a file, a link, or everything below a directory. */
  remove(path: string): this {
    for (const map of [this.#files, this.#links]) {
      for (const key of map.keys()) if (key === path || key.startsWith(`${path}/`)) map.delete(key);
    }
    return this;
  }

  /** Calls `reaction` at each write to a matching path, in place of storing the value. It may throw as the kernel does. */
  onWrite(path: RegExp, reaction: Reaction): this {
    this.#reactions.push([path, reaction]);
    return this;
  }

  read(path: string): Promise<string | undefined> {
    return Promise.resolve(this.#files.get(this.#real(path))?.trim());
  }

  list(path: string): Promise<readonly string[]> {
    const directory = this.#real(path);
    const names = [...this.#files.keys(), ...this.#links.keys()]
      .filter((key) => key.startsWith(`${directory}/`))
      .map((key) => key.slice(directory.length + 1).split("/")[0] ?? "");
    return Promise.resolve([...new Set(names)].sort());
  }

  resolve(path: string): Promise<string | undefined> {
    const target = this.#real(path);
    const known = [...this.#files.keys(), ...this.#links.keys()].some(
      (key) => key === target || key.startsWith(`${target}/`),
    );
    return Promise.resolve(known ? target : undefined);
  }

  async write(path: string, value: string): Promise<void> {
    const target = this.#real(path);
    this.writes.push(`${path}=${value}`);
    const reaction = this.#reactions.find(([pattern]) => pattern.test(target))?.[1];
    if (reaction !== undefined) return reaction(value, this);
    if (!this.#files.has(target)) {
      throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT" });
    }
    this.#files.set(target, value);
  }

  /** Follows the links in `path`, the last component too. */
  #real(path: string): string {
    let real = "";
    for (const part of normalize(path).split("/").filter(Boolean)) {
      real = `${real}/${part}`;
      for (let target = this.#links.get(real); target !== undefined; target = this.#links.get(real)) {
        real = this.#real(target);
      }
    }
    return real;
  }
}
