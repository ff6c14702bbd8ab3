import type { Logger } from "@daos/log";
import { loadDatagram } from "./native.ts";

export interface ServiceNotifierOptions {
  /** The environment of the process. Its variables for notifications are removed: engines must not inherit them. */
  readonly env: Record<string, string | undefined>;
  readonly log: Logger;
  /** Whether work is under way that may take longer than the unit allows a start or a stop. */
  readonly isBusy?: (() => boolean) | undefined;
}

/** Interval of the messages of a busy service without a watchdog, ms. */
const BUSY_INTERVAL_MS = 5_000;
/** The extra time that each of these messages asks for, ms. It is much longer than the interval. */
const EXTENSION_MS = 60_000;
/** Time to the next attempt when systemd's queue was full, ms. */
const AGAIN_MS = 100;
/** Messages that wait for systemd; the oldest are dropped. */
const MAX_WAITING = 32;
/** Maximum length of a status, in characters. */
const MAX_STATUS = 500;

/**
 * Notifies systemd of the state of this service. A process that systemd did not start with `Type=notify` sends nothing.
 * Dispose it when the process is about to end.
 *
 * @see man 3 sd_notify
 */
export class ServiceNotifier implements Disposable {
  readonly #log: Logger;
  readonly #socket: string | undefined;
  readonly #sendTo: ((address: string, bytes: Uint8Array) => boolean) | undefined;
  readonly #waiting: string[] = [];
  readonly #ticks: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #failed = false;
  #status = "";

  /** @throws Fault missingSoftwareDependency, in a service whose addon is missing */
  constructor({ env, log, isBusy = () => false }: ServiceNotifierOptions) {
    this.#log = log;
    const { NOTIFY_SOCKET: socket = "", WATCHDOG_USEC: watchdog = "", WATCHDOG_PID: pid = "" } = env;
    for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete env[name];
    if (socket === "") return;
    this.#socket = socket;
    this.#sendTo = loadDatagram().sendTo;
    const watchdogMs = pid === "" || Number(pid) === process.pid ? Number(watchdog) / 1000 : 0;
    const tick = () => {
      if (watchdogMs > 0) this.#send("WATCHDOG=1");
      if (isBusy()) this.#send(`EXTEND_TIMEOUT_USEC=${EXTENSION_MS * 1000}`);
    };
    this.#ticks = setInterval(tick, watchdogMs > 0 ? watchdogMs / 3 : BUSY_INTERVAL_MS).unref();
  }

  /** The service serves its callers; also the end of {@link reloading}. */
  ready(): void {
    this.#send("READY=1");
  }

  /** What the service does now, one line for `systemctl status`. */
  status(text: string): void {
    const line = text.replace(/\s+/g, " ").slice(0, MAX_STATUS);
    if (line === this.#status) return;
    this.#status = line;
    this.#send(`STATUS=${line}`);
  }

  /** The service reads its configuration again; {@link ready} ends that. */
  reloading(): void {
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  stopping(): void {
    this.#send("STOPPING=1");
  }

  [Symbol.dispose](): void {
    clearInterval(this.#ticks);
    clearTimeout(this.#again);
  }

  #send(message: string): void {
    if (this.#socket === undefined) return;
    this.#waiting.push(message);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
    if (this.#again === undefined) this.#flush();
  }

  /** systemd reads slowly while it is busy; nothing that a start depends on may be lost then. */
  #flush(): void {
    this.#again = undefined;
    while (this.#waiting[0] !== undefined) {
      if (!this.#sendNow(this.#waiting[0])) {
        this.#again = setTimeout(() => this.#flush(), AGAIN_MS).unref();
        return;
      }
      this.#waiting.shift();
    }
  }

  /** @returns false when it is to be sent again */
  #sendNow(message: string): boolean {
    try {
      return this.#sendTo?.(this.#socket ?? "", Buffer.from(message)) ?? true;
    } catch (error) {
      if (!this.#failed) this.#log.warn("systemd cannot be notified", { socket: this.#socket, error });
      this.#failed = true;
      return true;
    }
  }
}
