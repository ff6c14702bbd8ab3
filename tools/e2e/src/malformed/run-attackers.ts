import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { AttackOrder } from "./attack.ts";

/** How an attacker runs: as this file does, from the sources in a test and compiled in a program. */
const IS_SOURCE = import.meta.url.endsWith(".ts");
const ATTACKER = fileURLToPath(new URL(`./attacker.${IS_SOURCE ? "ts" : "js"}`, import.meta.url));
const SOURCE_FLAGS = [
  "--conditions=@daos/source",
  "--experimental-transform-types",
  "--disable-warning=ExperimentalWarning",
];

/** An attack under way. */
export interface RunningAttack extends Disposable {
  /** How many inputs of each kind have been sent. */
  readonly sent: { readonly drpc: number; readonly grpc: number };
  /** Ends when the attack is over. Rejects when an attacker has failed: its reason is on standard error. */
  readonly done: Promise<void>;
}

/** Starts an attacker for each order. Disposing ends them. */
export function runAttackers(orders: readonly AttackOrder[]): RunningAttack {
  const sent = orders.map(() => 0);
  const children = orders.map((order, index): ChildProcess => {
    const child = fork(ATTACKER, [JSON.stringify(order)], {
      execArgv: IS_SOURCE ? SOURCE_FLAGS : [],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    child.on("message", (count) => {
      sent[index] = Number(count);
    });
    return child;
  });
  const ends = children.map(async (child, index) => {
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    if (code !== 0)
      throw new Error(`the attacker of ${orders[index]?.target.kind} has ended with ${signal ?? code}`);
  });
  const done = Promise.all(ends).then(() => {});
  done.catch(() => {});
  return {
    get sent() {
      const sum = { drpc: 0, grpc: 0 };
      for (const [index, { target }] of orders.entries()) sum[target.kind] += sent[index] ?? 0;
      return sum;
    },
    done,
    [Symbol.dispose]: () => {
      for (const child of children) child.kill("SIGKILL");
    },
  };
}
