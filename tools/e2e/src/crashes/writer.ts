import type { Ended, Program } from "../program.ts";
import type { DmgResult, TestSystem } from "../test-system.ts";
import type { ChangeHistory } from "./change-history.ts";

const MAX_POOLS = 4;
/** The rank that is excluded and cleared repeatedly. */
const OTHER_RANK = 1;

/** An administrator who changes a system continually with dmg, and records the acknowledged changes. */
export class Writer {
  readonly #system: TestSystem;
  readonly #history: ChangeHistory;
  readonly #pools: string[] = [];
  #running: Program | undefined;
  #ends = false;
  #turn = 0;

  constructor(system: TestSystem, history: ChangeHistory) {
    this.#system = system;
    this.#history = history;
  }

  /** Makes changes until {@link interrupt}. */
  async work(): Promise<void> {
    this.#ends = false;
    while (!this.#ends) {
      if (this.#turn++ % 2 === 0) await this.#changePools();
      else await this.#changeRank();
    }
  }

  /** Interrupts the current change. Its outcome is then unknown. */
  interrupt(): void {
    this.#ends = true;
    this.#running?.child.kill("SIGKILL");
  }

  async #changePools(): Promise<void> {
    const pool = this.#history.somePool();
    if (pool !== undefined && this.#pools.length >= MAX_POOLS) {
      this.#pools.length = 0;
      this.#history.destroying(pool);
      if ((await this.#dmg("pool", "destroy", "--force", "--pool", pool)).exitCode === 0)
        this.#history.destroyed(pool);
      return;
    }
    this.#history.creating();
    const { exitCode, stdout } = await this.#dmg("--json", "pool", "create", "-s", "16M", "-r", "0");
    if (exitCode !== 0) return;
    const { uuid } = (JSON.parse(stdout) as { readonly result: DmgResult }).result;
    this.#pools.push(uuid);
    this.#history.created(uuid);
  }

  async #changeRank(): Promise<void> {
    const isExcluded = this.#history.isExcluded(OTHER_RANK);
    const change = isExcluded ? ["clear-exclude"] : ["exclude", "--force"];
    this.#history.changing(OTHER_RANK);
    const { exitCode } = await this.#dmg("system", ...change, "--ranks", String(OTHER_RANK));
    if (exitCode === 0) this.#history.changed(OTHER_RANK, !isExcluded);
  }

  #dmg(...args: readonly string[]): Promise<Ended> {
    this.#running = this.#system.startDmg("--timeout", "30s", ...args);
    return this.#running.end();
  }
}
