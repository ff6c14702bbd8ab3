import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { hasErrorCode, writeFileAtomic } from "@daos/sys";
import type { NvmeController } from "./bdev-types.ts";
import { type HealthSample, sampleOf } from "./health.ts";

export interface HealthHistoryOptions {
  readonly directory: string;
  /** Maximum number of samples of a device; 1000 by default. */
  readonly keep?: number;
  /** Minimum distance of two samples, ms; a nearer sample replaces the last one. An hour by default. */
  readonly everyMs?: number;
}

/**
 * Keeps samples of each device's health in a file of its own, by serial number, since names and addresses change. A
 * line is one sample in JSON. A damaged line is left out.
 */
export class HealthHistory {
  readonly #directory: string;
  readonly #keep: number;
  readonly #everyMs: number;
  /** Samples are added one after the other, so that two parallel scans do not overwrite each other's. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: HealthHistoryOptions) {
    this.#directory = options.directory;
    this.#keep = options.keep ?? 1000;
    this.#everyMs = options.everyMs ?? 3_600_000;
  }

  /** Adds the health of a scan. Controllers that could not be read are left out. */
  async record(controllers: readonly NvmeController[], time: Date): Promise<void> {
    const turn = this.#last.then(() => this.#record(controllers, time));
    this.#last = turn.catch(() => {});
    await turn;
  }

  async #record(controllers: readonly NvmeController[], time: Date): Promise<void> {
    const done = new Set<string>();
    for (const { serial, health, source } of controllers) {
      if (serial === "" || health === undefined || source === "last-known" || source === "pci") continue;
      // Two controllers of one drive (two ports) have one serial number and one history.
      if (done.has(serial)) continue;
      done.add(serial);
      const samples = [...(await this.read(serial))];
      const before = samples.at(-2);
      // The last sample is always the newest reading. It is kept once it is old enough.
      const age = before === undefined ? this.#everyMs : time.getTime() - Date.parse(before.time);
      // A sample of the future is from a clock that was wrong. It must not stop the history until then.
      if (age >= 0 && age < this.#everyMs) samples.pop();
      samples.push(sampleOf(health, time));
      const text = samples.slice(-this.#keep).map((sample) => `${JSON.stringify(sample)}\n`);
      await mkdir(this.#directory, { recursive: true });
      await writeFileAtomic(this.#path(serial), text.join(""), { mode: 0o644 });
    }
  }

  /** The samples of a device, oldest first; empty for an unknown device. */
  async read(serial: string): Promise<readonly HealthSample[]> {
    let text: string;
    try {
      text = await readFile(this.#path(serial), "utf8");
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return [];
      throw error;
    }
    return text.split("\n").flatMap((line) => parseSample(line) ?? []);
  }

  /** A serial number is text of the vendor. Only harmless characters go into a file name. */
  #path(serial: string): string {
    return join(this.#directory, `${serial.replace(/[^\w-]/g, "_")}.jsonl`);
  }
}

function parseSample(line: string): HealthSample | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "time" in value && "mediaErrors" in value
      ? (value as HealthSample)
      : undefined;
  } catch {
    return undefined;
  }
}
