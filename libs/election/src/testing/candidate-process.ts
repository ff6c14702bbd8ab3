import { type ChildProcess, fork } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { fileURLToPath } from "node:url";

export interface CandidateOptions {
  readonly endpoints: readonly string[];
  readonly system: string;
  readonly address: string;
}

export type CandidateRequest = "resign" | "replica" | "access points" | "clock jump";

/** An event of a candidate; `at` is in ms of the machine's monotonic clock, which all of them share. */
export type CandidateEvent = { readonly at: number } & (
  | { readonly kind: "leading"; readonly term: number }
  /** `leader` is "none" while there is no leader. */
  | { readonly kind: "following"; readonly leader: string }
  /** The signal of the term has aborted. */
  | { readonly kind: "aborted"; readonly term: number }
  | { readonly kind: "committed"; readonly term: number; readonly incarnation: number }
  /** No more commits in this term. */
  | { readonly kind: "refused"; readonly term: number; readonly code: number | undefined }
  | { readonly kind: "access points"; readonly list: readonly string[] }
  | { readonly kind: "log"; readonly message: string }
  | { readonly kind: "ended" }
);

type Kind = CandidateEvent["kind"];
type Of<K extends Kind> = Extract<CandidateEvent, { readonly kind: K }>;

const MAIN = fileURLToPath(new URL("candidate-main.ts", import.meta.url));
const NODE_OPTIONS = [
  "--conditions=@daos/source",
  // The generated messages have enums.
  "--experimental-transform-types",
  "--disable-warning=ExperimentalWarning",
];

/** A process that takes part in an election, and commits all the time while it leads. */
export class CandidateProcess implements AsyncDisposable {
  readonly address: string;
  readonly events: CandidateEvent[] = [];
  readonly #child: ChildProcess;
  readonly #emitter = new EventEmitter();

  constructor(options: CandidateOptions) {
    this.address = options.address;
    this.#child = fork(MAIN, [JSON.stringify(options)], { execArgv: NODE_OPTIONS });
    this.#child.on("message", (event: CandidateEvent) => {
      this.events.push(event);
      this.#emitter.emit("event");
    });
  }

  /** The newest view that it has reported. */
  get view(): Of<"leading"> | Of<"following"> | undefined {
    return this.events.findLast((event) => event.kind === "leading" || event.kind === "following");
  }

  get leads(): boolean {
    return this.view?.kind === "leading";
  }

  all<K extends Kind>(kind: K): readonly Of<K>[] {
    return this.events.filter((event): event is Of<K> => event.kind === kind);
  }

  ask(request: CandidateRequest): void {
    this.#child.send(request);
  }

  /** The first event of that kind for which `claim` holds, from `since` (ms) on. @throws after `ms` milliseconds */
  async event<K extends Kind>(
    kind: K,
    options: {
      readonly since?: number;
      readonly ms?: number;
      readonly claim?: (event: Of<K>) => boolean;
    } = {},
  ): Promise<Of<K>> {
    const { since = 0, ms = 20_000, claim = () => true } = options;
    const signal = AbortSignal.timeout(ms);
    while (true) {
      const found = this.all(kind).find((event) => event.at >= since && claim(event));
      if (found !== undefined) return found;
      try {
        await once(this.#emitter, "event", { signal });
      } catch {
        throw new Error(
          `${this.address}: no event "${kind}" within ${ms} ms, but ${JSON.stringify(this.events.slice(-5))}`,
        );
      }
    }
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** The clock of the events, ms. */
export function now(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
