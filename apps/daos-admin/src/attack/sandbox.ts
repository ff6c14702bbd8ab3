import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmod,
  chown,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { FrameDecoder } from "@daos/pbin";
import { ProcessCommandRunner, parseMountInfo } from "@daos/sys";
import { install } from "../installation/install.ts";
import { type Layout, layoutOf } from "../installation/layout.ts";

/** The attacks run as the user `nobody`, with the helper's group. The group is in no database. */
const ATTACKER = 65534;
const GROUP = 64321;

const EVIL: Readonly<Record<string, string>> = {
  cjs: 'require("node:fs").writeFileSync(__dirname + "/pwned-" + process.geteuid(), "");\n',
  mjs: 'import fs from "node:fs"; fs.writeFileSync(import.meta.dirname + "/pwned-" + process.geteuid(), "");\n',
  sh: '#!/bin/sh\ntouch "$(dirname "$0")/pwned-$(id -u)"\n',
  json: '{ "nodeOptions": { "import": ["./evil.mjs"] } }\n',
  env: "NODE_OPTIONS=--inspect\n",
  cnf: "openssl_conf = x\n[x]\nengines = y\n[y]\nz = w\n[w]\ndynamic_path = ./evil.so\n",
};

/** One hostile call. */
export interface Attack {
  readonly name: string;
  /** Operations of `fixtures/attacker.c`. Without any, the driver starts the launcher itself. */
  readonly prepare?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  /** True when the caller closes its side right after its bytes. */
  readonly end?: boolean;
  /** `answered`: the same answer as without the attack. `refused`: an error, or no answer. */
  readonly expect: "answered" | "refused" | "either";
  /** Runs another program than the launcher. */
  readonly program?: string;
}

export interface AttackResult {
  readonly outcome: "answered" | "refused";
  readonly error: string;
  readonly result: unknown;
}

/** An installation for one test file, with an attacker and a directory of the attacker's. */
export class AttackSandbox implements AsyncDisposable {
  readonly layout: Layout;
  /** Belongs to the attacker. */
  readonly ground: string;
  readonly attacker: string;
  readonly socket: string;
  readonly gid = GROUP;
  readonly uid = ATTACKER;
  readonly #tools: string;
  readonly #children: ChildProcess[] = [];
  readonly #mounted: string[] = [];
  #before: ReadonlyMap<string, string> = new Map();

  private constructor(prefix: string) {
    this.layout = layoutOf(prefix);
    this.ground = join(prefix, "ground");
    this.#tools = join(prefix, "tools");
    this.attacker = join(this.#tools, "attacker");
    this.socket = join(prefix, "helper.sock");
  }

  /** @param parent belongs to root, with all directories above it */
  static async open(parent: string): Promise<AttackSandbox> {
    const prefix = await mkdtemp(join(parent, ".daos-attack-"));
    await chmod(prefix, 0o755);
    const sandbox = new AttackSandbox(prefix);
    try {
      await sandbox.#build();
      return sandbox;
    } catch (error) {
      await sandbox[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #build(): Promise<void> {
    const { layout } = this;
    const runner = new ProcessCommandRunner();
    await install({
      prefix: layout.prefix,
      shapes: ["setuid", "socket"],
      group: String(GROUP),
      createGroup: false,
      callers: [],
      serverConfig: undefined,
      runner,
      say: () => {},
    });
    const policy = [
      "mounts:",
      `  - { path: ${layout.prefix}/mnt, max_size_gib: 1 }`,
      `  - { path: ${this.ground}/mnt, max_size_gib: 1 }`,
      `  - { path: ${this.ground}/deep/er/mnt, max_size_gib: 1 }`,
      `  - { path: ${layout.prefix}/dev, devices: [/dev/null] }`,
      'pci_addresses: ["ffff:ff:1f.7"]',
      "hugepages: 0",
      "",
    ].join("\n");
    await writeFile(layout.policy, policy, { mode: 0o644 });
    await mkdir(this.#tools, { mode: 0o755 });
    await mkdir(this.ground);
    await chown(this.ground, ATTACKER, ATTACKER);
    await chmod(this.ground, 0o777);
    // Files that hostile environments name. Each would create a file of root's if root ran it.
    for (const [extension, content] of Object.entries(EVIL)) {
      const path = join(this.ground, `evil.${extension}`);
      await writeFile(path, content, { mode: 0o777 });
      await chown(path, ATTACKER, ATTACKER);
    }
    for (const name of [
      "attack-driver.mjs",
      "hold.mjs",
      "attack-process.mjs",
      "swap-links.mjs",
      "flood.mjs",
    ]) {
      await copyFile(fixture(name), this.tool(name));
    }
    for (const [source, target, ...flags] of [
      ["attacker.c", this.attacker],
      ["preload.c", join(this.#tools, "preload.so"), "-shared", "-fPIC"],
    ] as const) {
      const { exitCode, stderr } = await runner.run(["cc", "-O1", ...flags, "-o", target, fixture(source)]);
      if (exitCode !== 0) throw new Error(stderr);
    }
    this.#before = await this.#look();
  }

  /** The path of a fixture where the attacker can run it. */
  tool(name: string): string {
    return join(this.#tools, name);
  }

  get preload(): string {
    return join(this.#tools, "preload.so");
  }

  /** Runs attacks as the attacker, four at a time, through a Node.js that may call the helper. */
  async attack(attacks: readonly Attack[]): Promise<readonly AttackResult[]> {
    const { launcher } = this.layout;
    const cases = attacks.map(({ prepare = [], args = [], env = {}, bytes, end = false, program }, id) => ({
      id,
      program: program ?? (prepare.length === 0 ? launcher : this.attacker),
      args:
        program === undefined && prepare.length > 0
          ? [...prepare, "--", launcher, ...args]
          : [...prepare, ...args],
      env,
      bytes: bytes.toString("base64"),
      end,
    }));
    const output = await this.#inOwnMounts([this.tool("attack-driver.mjs")], JSON.stringify(cases));
    const results = JSON.parse(output) as { id: number; stdout: string; stderr: string }[];
    return results.sort((a, b) => a.id - b.id).map(readResult);
  }

  /**
   * Runs the attacker in its own mount namespace, so that mounts of other processes do not appear in it. Records every
   * new mount in it.
   */
  async #inOwnMounts(args: readonly string[], input: string): Promise<string> {
    const [before, after] = ["before", "after"].map((name) => join(this.#tools, name)) as [string, string];
    const script = `cat /proc/self/mountinfo > ${before}; setpriv "$@"; cat /proc/self/mountinfo > ${after}`;
    const argv = ["--mount", "--", "/bin/sh", "-c", script, "sh", ...this.#attackerArguments(args)];
    const child = spawn("unshare", argv, { cwd: this.ground, stdio: "pipe" });
    this.#children.push(child);
    child.stdin.end(input);
    const [output, errors] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    const [old, now] = await Promise.all([before, after].map(readMounts));
    await Promise.all([rm(before), rm(after)]);
    this.#mounted.push(...(now ?? []).filter((entry) => old?.includes(entry) !== true));
    if (output === "") throw new Error(`nothing came back: ${errors}`);
    return output;
  }

  /** The mounts so far, for callers that may mount. {@link damage} clears the list. */
  takeMounts(): readonly string[] {
    return this.#mounted.splice(0);
  }

  /** Runs the installed Node.js as the attacker. @returns its standard output */
  async asAttacker(args: readonly string[], input: string): Promise<string> {
    const child = this.spawnAsAttacker(args);
    child.stdin.end(input);
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    if (output === "") throw new Error(`nothing came back: ${errors}`);
    return output;
  }

  spawnAsAttacker(args: readonly string[], options: { readonly inGroup?: boolean } = {}) {
    const argv = this.#attackerArguments(args, options);
    const child = spawn("setpriv", argv, { cwd: this.ground, stdio: "pipe" });
    this.#children.push(child);
    return child;
  }

  #attackerArguments(args: readonly string[], { inGroup = true } = {}): readonly string[] {
    const groups = inGroup ? ["--groups", String(GROUP)] : ["--clear-groups"];
    const ids = ["--reuid", String(ATTACKER), "--regid", String(ATTACKER), ...groups];
    return [...ids, "--", this.layout.node, ...args];
  }

  /** Starts the service as systemd does: with a listening socket as descriptor 3. */
  async listen(): Promise<ChildProcess> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(`${this.socket}.new`, resolve));
    // Closing the server removes the socket file.
    await rename(`${this.socket}.new`, this.socket);
    await chown(this.socket, 0, GROUP);
    await chmod(this.socket, 0o660);
    // Node.js does not show the descriptor of a server, but passes it to a child process.
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const command = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0"';
    const child = spawn("/bin/sh", ["-c", command, this.layout.listener], {
      env: {},
      stdio: ["ignore", "ignore", "ignore", fd],
    });
    server.close();
    this.#children.push(child);
    return child;
  }

  /**
   * The damage by the attacks: changed files of root's under the prefix, mounts, and new files in `/`. Empty when there
   * is none.
   */
  async damage(): Promise<readonly string[]> {
    const now = await this.#look();
    const changed = [...now]
      .filter(([path, state]) => this.#before.get(path) !== state)
      .map(([path]) => `+ ${path}`);
    const gone = [...this.#before.keys()].filter((path) => !now.has(path)).map((path) => `- ${path}`);
    return [...changed, ...gone, ...this.#mounted.map((entry) => `+ mount ${entry}`)];
  }

  async #look(): Promise<ReadonlyMap<string, string>> {
    const { prefix, logFile } = this.layout;
    const state = new Map<string, string>();
    const walk = async (path: string): Promise<void> => {
      const { uid, gid, mode, mtimeMs, ...entry } = await lstat(path);
      const isDirectory = (mode & 0o170000) === 0o040000;
      if (path !== logFile && path !== `${prefix}/mnt` && path !== this.socket && uid === 0) {
        const content = isDirectory || entry.size > 10_000_000 ? "" : await digest(path, mode);
        state.set(path, `${uid}:${gid}:${mode}:${isDirectory ? 0 : mtimeMs}:${content}`);
      }
      if (!isDirectory || path === `${prefix}/mnt`) return;
      for (const name of await readdir(path)) await walk(join(path, name));
    };
    await walk(prefix);
    for (const name of await readdir("/")) if (name.startsWith("pwned")) state.set(`/${name}`, "there");
    return state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      // Processes that it started may keep its output open longer.
      await once(child, "exit");
    }
    // They may also still write into a directory that is being removed.
    await rm(this.layout.prefix, { recursive: true, force: true, maxRetries: 10 });
  }
}

function fixture(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
}

async function readMounts(path: string): Promise<readonly string[]> {
  const mounts = parseMountInfo(await readFile(path, "utf8"));
  return mounts.map((entry) => `${entry.mountPoint} ${entry.source} ${entry.fsType} ${entry.options}`);
}

async function digest(path: string, mode: number): Promise<string> {
  if ((mode & 0o170000) !== 0o100000) return "";
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}

function readResult({ stdout, stderr }: { stdout: string; stderr: string }): AttackResult {
  const bytes = Buffer.from(stdout, "base64");
  const decoder = new FrameDecoder();
  try {
    decoder.push(bytes);
  } catch {
    return {
      outcome: "refused",
      error: `no frame: ${bytes.subarray(0, 100).toString("latin1")}`,
      result: undefined,
    };
  }
  if (!decoder.complete) return { outcome: "refused", error: stderr, result: undefined };
  const { error, result } = decoder.decode() as {
    error: { code: number; description: string } | null;
    result: unknown;
  };
  return error === null
    ? { outcome: "answered", error: "", result }
    : { outcome: "refused", error: `${error.code} ${error.description}`, result: undefined };
}
