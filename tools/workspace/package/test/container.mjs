import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const INSTALL_MS = 900_000;
const BOOT_MS = 120_000;
const EVENTUAL_MS = 120_000;
const COMMAND_MS = 180_000;
const MAX_OUTPUT = 10_000;
const PACKAGES =
  "systemd,systemd-sysv,dbus,e2fsprogs,etcd-client,etcd-server,iproute2,kmod,logrotate,man-db,mount,passwd,procps,util-linux";
/** The network device of the container's fabric. */
export const INTERFACE = "ib0";
const ADDRESS = "192.0.2.1";

/** A Debian 12 with systemd as process 1, in its own directory and network. Stop it. */
export class Container {
  /** The root directory, seen from this machine. */
  directory = mkdtempSync("/var/tmp/daos-packages-");
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #nspawn;
  #output = "";

  /** @returns {Promise<Container>} one that has booted */
  static async boot() {
    const container = new Container();
    try {
      await container.#boot();
      return container;
    } catch (error) {
      await container.stop();
      throw error;
    }
  }

  async #boot() {
    const root = ["--variant=minbase", `--include=${PACKAGES}`, "bookworm", this.directory];
    execFileSync("mmdebstrap", root, { stdio: ["ignore", "ignore", "pipe"], timeout: INSTALL_MS });
    writeFileSync(join(this.directory, "etc/hosts"), `127.0.0.1 localhost\n${ADDRESS} storage1\n`);
    // This machine has no machined to register with.
    const options = ["--register=no", "--keep-unit", "--private-network", "--quiet", "--console=pipe"];
    this.#nspawn = spawn("systemd-nspawn", ["--boot", ...options, "-D", this.directory], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#nspawn.stdout, this.#nspawn.stderr]) {
      stream?.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
        this.#output = (this.#output + text).slice(-MAX_OUTPUT);
      });
    }
    const state = () => this.run("systemctl is-system-running || true");
    await this.waitFor(
      "a Debian 12 has booted",
      state,
      (/** @type {string} */ text) => /^(?:running|degraded)$/m.test(text),
      BOOT_MS,
    );
    this.run("systemctl disable --now etcd");
    this.run(`ip link add ${INTERFACE} type veth peer name ${INTERFACE}-peer`);
    this.run(`ip link set ${INTERFACE} up && ip link set ${INTERFACE}-peer up`);
    this.run(`ip address add ${ADDRESS}/24 dev ${INTERFACE}`);
  }

  /** Runs a command line of the shell as root. @returns what it prints @throws Error with its output when it fails @param {string} line */
  run(line) {
    const enter = ["-t", `${this.#processOne()}`, "-m", "-u", "-i", "-n", "-p", "--"];
    const env = {
      PATH: "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: "/root",
      LC_ALL: "C.UTF-8",
      DEBIAN_FRONTEND: "noninteractive",
    };
    try {
      return execFileSync("nsenter", [...enter, "/bin/sh", "-ec", `cd; ${line}`], {
        encoding: "utf8",
        env,
        timeout: COMMAND_MS,
        stdio: ["ignore", "pipe", "pipe"],
      });
    } catch (/** @type {any} */ error) {
      throw new Error(`${line}: ${error.stdout}${error.stderr || error.message}`);
    }
  }

  /**
   * Repeats `look` until its result is right. A failure counts as an empty result.
   *
   * @param {string} what
   * @param {() => string} look
   * @param {(seen: string) => boolean} isRight
   */
  async waitFor(what, look, isRight, ms = EVENTUAL_MS) {
    const end = Date.now() + ms;
    for (;;) {
      let seen = "";
      let failure = "";
      try {
        seen = look();
      } catch (/** @type {any} */ error) {
        failure = error.message;
      }
      if (failure === "" && isRight(seen)) break;
      if (Date.now() > end) throw new Error(`not within ${ms / 1000} s: ${what}; seen: ${seen}${failure}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    process.stdout.write(`ok  ${what}\n`);
  }

  /** Copies a file or a directory of this machine into the container. @param {string} from @param {string} to */
  copyIn(from, to) {
    mkdirSync(join(this.directory, to, ".."), { recursive: true });
    cpSync(from, join(this.directory, to), { recursive: true });
  }

  /** @param {string} path @param {string} text */
  write(path, text, mode = 0o644) {
    mkdirSync(join(this.directory, path, ".."), { recursive: true });
    writeFileSync(join(this.directory, path), text, { mode });
  }

  /** Diagnostics after a failure. */
  logs() {
    try {
      return this.run("journalctl -n 60 --no-pager; systemctl status --no-pager daos_server || true");
    } catch {
      return this.#output;
    }
  }

  /** Process 1: the child of systemd-nspawn, once it has namespaces of its own. */
  #processOne() {
    const { pid, exitCode, signalCode } = this.#nspawn ?? { exitCode: -1 };
    if (pid !== undefined && exitCode === null && signalCode === null) {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
      for (const child of children.filter((text) => text !== "")) {
        if (/^NSpid:.*\t1$/m.test(readFileSync(`/proc/${child}/status`, "utf8"))) return Number(child);
      }
    }
    throw new Error(`the container does not run:\n${this.#output}`);
  }

  /** Ends all processes in it, and removes it. */
  async stop() {
    const nspawn = this.#nspawn;
    if (nspawn !== undefined && nspawn.exitCode === null && nspawn.signalCode === null) {
      const ended = new Promise((resolve) => nspawn.once("exit", resolve));
      try {
        // No process in the container survives this.
        process.kill(this.#processOne(), "SIGKILL");
      } catch {
        nspawn.kill("SIGKILL");
      }
      await ended;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
