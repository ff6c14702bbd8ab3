import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { AttackOrder } from "./attack.ts";

/** An attacker runs like this file: from the sources in a test, or compiled in a program. */
const IS_SOURCE = import.meta.url.endsWith(".ts");
const ATTACKER = fileURLToPath(new URL(`./attacker.${IS_SOURCE ? "ts" : "js"}`, import.meta.url));
const SOURCE_FLAGS = [
  "--conditions=@daos/source",
  "--experimental-transform-types",
  "--disable-warning=ExperimentalWarning",
];

/** A running attack. */
export interface RunningAttack extends Disposable {
  /** The number of sent inputs of each kind. */
  readonly sent: { readonly drpc: number; readonly grpc: number };
  /** Resolves when the attack is over. Rejects when an attacker has failed; the reason is on standard error. */
  readonly done: Promise<void>;
}

/** Starts an attacker for each order. Disposal ends them. */
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
