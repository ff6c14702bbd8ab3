import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deadline, delay } from "@daos/sys";
import type { TestSystem } from "../test-system.ts";

/** The resources of a server at one moment. */
export interface ServerSample {
  readonly rssBytes: number;
  readonly descriptors: number;
  /** The number of each resource that keeps its event loop alive, such as `Timeout` and `PipeWrap`. */
  readonly resources: Readonly<Record<string, number>>;
  /** The memory of its objects and buffers after a garbage collection. */
  readonly usedBytes: number;
  /** All files of the host, except the storage of the engine. */
  readonly files: readonly string[];
}

const SAMPLE_MS = 30_000;

/** Reads the resources of a server process. It must have been started with {@link environment}. */
export class ServerWatch {
  readonly environment: Readonly<Record<string, string>>;
  readonly #system: TestSystem;
  readonly #directory: string;

  private constructor(system: TestSystem, directory: string) {
    this.#system = system;
    this.#directory = directory;
    this.environment = { NODE_OPTIONS: `--import=${join(directory, "probe.mjs")}` };
  }

  static async create(system: TestSystem): Promise<ServerWatch> {
    const directory = join(system.directory, "probe");
    await mkdir(directory);
    await writeFile(join(directory, "probe.mjs"), probe(directory));
    return new ServerWatch(system, directory);
  }

  get pid(): number {
    return this.#system.server.child.pid ?? 0;
  }

  /** The current resident memory, bytes. */
  async rss(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  }

  /** @throws Error when the server does not write a sample within 30 s */
  async sample(): Promise<ServerSample> {
    const answer = join(this.#directory, String(this.pid));
    await rm(answer, { force: true });
    this.#system.server.child.kill("SIGUSR2");
    using limit = deadline(SAMPLE_MS, "a sample of the server's resources");
    let text: string | undefined;
    while (text === undefined) {
      await delay(20, limit);
      text = await readFile(answer, "utf8").catch(() => undefined);
    }
    const { resources, usedBytes } = JSON.parse(text) as Pick<ServerSample, "resources" | "usedBytes">;
    const [rssBytes, descriptors, files] = await Promise.all([
      this.rss(),
      readdir(`/proc/${this.pid}/fd`),
      readdir(this.#system.directory, { recursive: true }),
    ]);
    const isStorage = this.#system.scmMount().slice(this.#system.directory.length + 1);
    // Except one file, which a server writes some time after its first members: its marker of the member store.
    const isOwn = (name: string) => name.startsWith("probe") || /^\.daos_server\.state\/members-/.test(name);
    return {
      rssBytes,
      descriptors: descriptors.length,
      resources,
      usedBytes,
      files: files.filter((name) => !name.startsWith(isStorage) && !isOwn(name)).sort(),
    };
  }
}

/** A module that writes its process's resources at SIGUSR2. The engine inherits it, but gets no such signal. */
function probe(directory: string): string {
  return `import { renameSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
process.on("SIGUSR2", () => {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const resources = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const { heapUsed, external } = process.memoryUsage();
  const path = ${JSON.stringify(directory)} + "/" + process.pid;
  writeFileSync(path + ".new", JSON.stringify({ resources, usedBytes: heapUsed + external }));
  renameSync(path + ".new", path);
});
`;
}
