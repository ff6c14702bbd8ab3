import { formatHostSet, type HostAddress } from "@daos/hostlist";
import type { Terminal } from "../terminal.ts";

/** Nothing is shown of what ends sooner. */
const PATIENCE_MS = 1_000;
/** How often a drawn line changes. */
const REDRAW_MS = 250;
/** Where lines cannot be redrawn, the first one comes after this time, and then in intervals that double. */
const FIRST_LINE_MS = 5_000;
const BAR = 20;

/**
 * Shows on stderr how far a request to many hosts is: on a terminal one line with a bar, the time, an estimate and the
 * hosts that are waited for, drawn over itself and gone at the end; elsewhere a plain line now and then.
 */
export class Progress implements Disposable {
  readonly #terminal: Terminal;
  readonly #what: string;
  readonly #total: number;
  readonly #waiting: Map<string, HostAddress>;
  readonly #start: number;
  readonly #timer: NodeJS.Timeout | undefined;
  #failed = 0;
  #drawn = false;
  #nextLine = FIRST_LINE_MS;

  constructor(terminal: Terminal, what: string, hosts: readonly HostAddress[], options: { quiet: boolean }) {
    this.#terminal = terminal;
    this.#what = what;
    this.#total = hosts.length;
    this.#waiting = new Map(hosts.map((host) => [keyOf(host), host]));
    this.#start = Date.now();
    if (options.quiet) return;
    const every = terminal.interactive ? REDRAW_MS : PATIENCE_MS;
    this.#timer = setInterval(() => this.#tick(), every);
    this.#timer.unref();
  }

  /** One host has answered, well or not. */
  hostDone(host: HostAddress, well: boolean): void {
    this.#waiting.delete(keyOf(host));
    if (!well) this.#failed++;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#drawn) this.#terminal.err("\r\u001b[K");
  }

  #tick(): void {
    const elapsed = Date.now() - this.#start;
    if (this.#terminal.interactive) {
      if (elapsed < PATIENCE_MS) return;
      const width = Number.isFinite(this.#terminal.columns) ? this.#terminal.columns : 80;
      this.#terminal.err(`\r\u001b[K${cut(this.#line(elapsed), width - 1)}`);
      this.#drawn = true;
    } else if (elapsed >= this.#nextLine) {
      this.#nextLine = elapsed * 2;
      this.#terminal.err(`dmg: ${this.#line(elapsed)}\n`);
    }
  }

  #line(elapsed: number): string {
    const parts = [formatTime(elapsed)];
    const done = this.#total - this.#waiting.size;
    let bar = "";
    if (this.#total > 1) {
      const filled = Math.floor((done / this.#total) * BAR);
      if (this.#terminal.interactive) bar = `[${"#".repeat(filled)}${".".repeat(BAR - filled)}] `;
      parts.unshift(`${done}/${this.#total} hosts`);
      if (this.#failed > 0) parts.push(`${this.#failed} failed`);
      if (done > 0 && done < this.#total) {
        parts.push(`about ${formatTime((elapsed / done) * (this.#total - done))} left`);
      }
    }
    if (this.#waiting.size > 0) parts.push(`waiting for ${formatHostSet(this.#waiting.values())}`);
    return `${this.#what}: ${bar}${parts.join(", ")}`;
  }
}

function keyOf({ host, port }: HostAddress): string {
  return `${host} ${port}`;
}

/** `0:07`, `12:30`, `1:02:03`. */
function formatTime(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 3))}...`;
}
