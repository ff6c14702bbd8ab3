import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errorText } from "@daos/fault";
import { writeFileAtomic } from "@daos/sys";
import { EMPTY_STATE, type EngineState, formatState, parseState } from "./engine-state.ts";

/** The file's name in the SCM mount. */
export const STATE_FILE = "engine-emulator.json";

/** A new state and what to answer; the same state object means that nothing has changed. */
export interface Change<T> {
  readonly state: EngineState;
  readonly answer: T;
}

/** The state of an engine, on disk before anybody hears of a change. */
export class StateStore {
  readonly #path: string;
  #state: EngineState;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(path: string, state: EngineState) {
    this.#path = path;
    this.#state = state;
  }

  /** @throws Error naming the file when it is torn or not ours */
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

  /** Changes one after the other; each sees the one before, and is durable (fsync) when its answer comes. */
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
