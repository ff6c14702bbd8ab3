import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** True where the machine has a `python3` that runs. */
export const hasPython = spawnSync("python3", ["-c", ""]).status === 0;

/** The answers of `fixtures/peer.py`: fields of a message by number, `length`, `pid`, or `error`. */
export type PeerAnswer = Readonly<Record<string, number | string>>;

/** A dRPC peer in another program, `fixtures/peer.py`. */
export class PythonPeer {
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  readonly #waiting: ((answer: PeerAnswer) => void)[] = [];

  constructor() {
    const script = fileURLToPath(new URL("../../fixtures/peer.py", import.meta.url));
    this.#child = spawn("python3", [script], { stdio: ["pipe", "pipe", "inherit"] });
    this.#gone = once(this.#child, "close");
    // The peer may be killed while commands are pending.
    this.#child.stdin?.on("error", () => {});
    if (this.#child.stdout === null) throw new Error("no stdout");
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      this.#waiting.shift()?.(JSON.parse(line) as PeerAnswer);
    });
  }

  /** Sends a command. Commands run in order. */
  do(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<PeerAnswer> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin?.write(`${JSON.stringify({ do: command, ...args })}\n`);
    });
  }

  /** Kills it with `kill -9`. Waits until it has ended and the pipes are closed. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone;
  }
}
