import { printable, type Terminal } from "@daos/cli";
import { formatHostSet, type HostAddress } from "@daos/hostlist";

/** Work that ends sooner shows no progress. */
const QUIET_MS = 1_000;
/** How often a drawn line is refreshed. */
const REDRAW_MS = 250;
/** The time of the first line on an output that cannot be redrawn. The interval then doubles. */
const FIRST_LINE_MS = 5_000;
const BAR = 20;
/** The number of hosts with a line of their own, or a place in a plain line. Further hosts are counted. */
const MAX_LINES = 8;
const MAX_IN_LINE = 4;

/** The progress of one device on a host. `failed` devices are counted. */
export interface DeviceState {
  readonly device: string;
  readonly step: string;
  /** From 0 to 1. */
  readonly fraction: number;
  readonly remainingMs: number | undefined;
}

/**
 * Shows on stderr the progress of a request to many hosts. On a terminal it draws one line with a bar, the time, an
 * estimate if all pending hosts give one, and the hosts still pending, and one line per host that reports its devices. It redraws these lines in
 * place, and clears them at the end. Without a terminal it prints plain lines at growing intervals.
 */
export class Progress implements Disposable {
  readonly #terminal: Terminal;
  readonly #what: string;
  readonly #total: number;
  readonly #waiting: Map<string, HostAddress>;
  readonly #start: [number, number];
  readonly #timer: NodeJS.Timeout | undefined;
  /** The devices of the hosts that report them, by host and by device. */
  readonly #devices = new Map<string, Map<string, DeviceState>>();
  #failed = 0;
  /** The number of lines now on the terminal. */
  #drawn = 0;
  #nextLine = FIRST_LINE_MS;

  constructor(terminal: Terminal, what: string, hosts: readonly HostAddress[], options: { quiet: boolean }) {
    this.#terminal = terminal;
    this.#what = what;
    this.#total = hosts.length;
    this.#waiting = new Map(hosts.map((host) => [keyOf(host), host]));
    this.#start = process.hrtime();
    if (options.quiet) return;
    const every = terminal.interactive ? REDRAW_MS : QUIET_MS;
    this.#timer = setInterval(() => this.#tick(), every);
    this.#timer.unref();
  }

  /** Records that a host has answered or failed. */
  hostDone(host: HostAddress, ok: boolean): void {
    this.#waiting.delete(keyOf(host));
    if (!ok) this.#failed++;
  }

  /** Records the progress of one device of a host. */
  deviceProgress(host: HostAddress, state: DeviceState): void {
    const devices = this.#devices.get(keyOf(host)) ?? new Map<string, DeviceState>();
    this.#devices.set(
      keyOf(host),
      devices.set(state.device, { ...state, device: printable(state.device), step: printable(state.step) }),
    );
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#drawn > 0) this.#terminal.err(this.#wiped());
  }

  /** Moves the cursor to the first drawn line, and clears from there. */
  #wiped(): string {
    return this.#drawn > 1 ? `\u001b[${this.#drawn - 1}A\r\u001b[J` : "\r\u001b[K";
  }

  #tick(): void {
    const [seconds, nanoseconds] = process.hrtime(this.#start);
    const elapsed = 1_000 * seconds + nanoseconds / 1_000_000;
    if (this.#terminal.interactive) {
      if (elapsed < QUIET_MS) return;
      const width = Number.isFinite(this.#terminal.columns) ? this.#terminal.columns : 80;
      const lines = this.#lines(elapsed).map((line) => cut(line, width - 1));
      this.#terminal.err(`${this.#wiped()}${lines.join("\n")}`);
      this.#drawn = lines.length;
    } else if (elapsed >= this.#nextLine) {
      this.#nextLine = elapsed * 2;
      this.#terminal.err(`dmg: ${this.#plainLine(elapsed)}\n`);
    }
  }

  /** The remaining time of the slowest pending host; undefined while a pending host has no estimate. */
  #remaining(): number | undefined {
    const estimates = this.#working().map(({ remainingMs }) => remainingMs);
    const known = estimates.filter((ms) => ms !== undefined);
    return known.length > 0 && known.length === this.#waiting.size ? Math.max(...known) : undefined;
  }

  /** The progress of pending hosts that report their devices. */
  #working(): readonly (HostState & { readonly label: string })[] {
    return [...this.#waiting].flatMap(([key, host]) => {
      const devices = this.#devices.get(key);
      return devices === undefined ? [] : { ...summarize(devices.values()), label: formatHostSet([host]) };
    });
  }

  #lines(elapsed: number): readonly string[] {
    const working = this.#working();
    const [only] = working;
    if (only !== undefined && this.#total === 1) {
      return [`${this.#what}: ${bar(only.fraction)} ${formatTime(elapsed)}, ${showState(only)}`];
    }
    const rest = working.length - MAX_LINES;
    return [
      this.#line(elapsed),
      ...working
        .slice(0, MAX_LINES)
        .map((host) => `  ${bar(host.fraction)} ${host.label}: ${showState(host)}`),
      ...(rest > 0 ? [`  and ${rest} more`] : []),
    ];
  }

  #plainLine(elapsed: number): string {
    const working = this.#working();
    const rest = working.length - MAX_IN_LINE;
    return [
      this.#line(elapsed),
      ...working.slice(0, MAX_IN_LINE).map((host) => `${host.label}: ${showState(host)}`),
      ...(rest > 0 ? [`and ${rest} more`] : []),
    ].join("; ");
  }

  #line(elapsed: number): string {
    const parts = [formatTime(elapsed)];
    const done = this.#total - this.#waiting.size;
    let drawn = "";
    if (this.#total > 1) {
      if (this.#terminal.interactive) drawn = `${bar(done / this.#total)} `;
      parts.unshift(`${done}/${this.#total} hosts`);
      if (this.#failed > 0) parts.push(`${this.#failed} failed`);
      const remainingMs = this.#remaining();
      if (remainingMs !== undefined) parts.push(`about ${formatTime(remainingMs)} left`);
    }
    if (this.#waiting.size > 0) parts.push(`waiting for ${formatHostSet(this.#waiting.values())}`);
    return `${this.#what}: ${drawn}${parts.join(", ")}`;
  }
}

/** The summary of one host's devices. */
interface HostState {
  readonly fraction: number;
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  /** The remaining time of the slowest device; undefined while one of them has no estimate. */
  readonly remainingMs: number | undefined;
}

function summarize(states: Iterable<DeviceState>): HostState {
  const devices = [...states];
  const left = devices.filter(({ fraction }) => fraction < 1);
  const estimates = left.map(({ remainingMs }) => remainingMs).filter((ms) => ms !== undefined);
  return {
    fraction: devices.reduce((sum, { fraction }) => sum + fraction, 0) / Math.max(1, devices.length),
    done: devices.length - left.length,
    failed: devices.filter(({ step }) => step === "failed").length,
    total: devices.length,
    remainingMs:
      estimates.length === 0 || estimates.length < left.length ? undefined : Math.max(...estimates),
  };
}

/** `42%, 3/10 devices, 1 failed, about 1:20 left`. */
function showState({ fraction, done, failed, total, remainingMs }: HostState): string {
  const parts = [`${Math.floor(fraction * 100)}%`, `${done}/${total} devices`];
  if (failed > 0) parts.push(`${failed} failed`);
  if (remainingMs !== undefined) parts.push(`about ${formatTime(remainingMs)} left`);
  return parts.join(", ");
}

function bar(fraction: number): string {
  const filled = Math.floor(fraction * BAR);
  return `[${"#".repeat(filled)}${".".repeat(BAR - filled)}]`;
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
