import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errorText } from "@daos/fault";
import { writeFileAtomic } from "@daos/sys";
import { EMPTY_STATE, type EngineState, formatState, parseState } from "./engine-state.ts";

/** The name of the file at the SCM mount point. */
export const STATE_FILE = "engine-emulator.json";

/** A new state and the answer. The same state object means that nothing has changed. */
export interface Change<T> {
  readonly state: EngineState;
  readonly answer: T;
}

/** The state of an engine. A change is on disk before it is answered. */
export class StateStore {
  readonly #path: string;
  #state: EngineState;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(path: string, state: EngineState) {
    this.#path = path;
    this.#state = state;
  }

  /** @throws Error that names the file when it is torn or belongs to another program */
  static async open(scmMount: string): Promise<StateStore> {
    const path = join(scmMount, STATE_FILE);
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (text === undefined) return new StateStore(path, EMPTY_STATE);
    try {
      return new StateStore(path, parseState(text));
    } catch (cause) {
      const reason = errorText(cause);
      throw new Error(
        `the state file ${path} is damaged or not the emulator's: ${reason}; remove it, and with it the pools, or format the storage`,
        { cause },
      );
    }
  }

  get state(): EngineState {
    return this.#state;
  }

  /** Runs one change at a time. Each change gets the state after the previous one, and is durable (fsync) before its answer. */
  update<T>(change: (state: EngineState) => Change<T>): Promise<T> {
    const next = this.#last.then(async () => {
      const { state, answer } = change(this.#state);
      if (state !== this.#state) {
        await writeFileAtomic(this.#path, formatState(state), { mode: 0o600 });
        this.#state = state;
      }
      return answer;
    });
    this.#last = next.catch(() => {});
    return next;
  }
}
