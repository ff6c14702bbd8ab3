import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Prints a line. */
export type Say = (line: string) => void;

/** The program that runs the parts of a benchmark. */
export const BENCH = fileURLToPath(new URL("bench.js", import.meta.url));

/** A part of a benchmark that runs in another process. */
export interface Part<T> extends Disposable {
  readonly pid: number;
  /** The message that it sent when it was ready. */
  readonly ready: T;
  ask<Answer>(question: object): Promise<Answer>;
}

/** Starts a part of the benchmark, named as in bench.ts, from this checkout or another one. */
export async function startPart<T>(part: string, ...args: readonly string[]): Promise<Part<T>> {
  return startProgram(BENCH, part, ...args);
}

/** @see {@link startPart} */
export async function startProgram<T>(program: string, ...args: readonly string[]): Promise<Part<T>> {
  const child = fork(program, args, { execArgv: process.execArgv });
  const [ready] = (await once(child, "message")) as [T];
  const ask = async <Answer>(question: object): Promise<Answer> => {
    child.send(question);
    const [answer] = (await once(child, "message")) as [Answer];
    return answer;
  };
  return { pid: child.pid ?? 0, ready, ask, [Symbol.dispose]: () => void child.kill() };
}
