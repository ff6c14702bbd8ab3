import { Gauge, type Registry } from "prom-client";

/** The space of the SCM of one engine, bytes. */
export interface ScmReading {
  readonly index: number;
  readonly size: number;
  readonly free: number;
}

/** The health of one NVMe controller as it was last read. */
export interface NvmeReading {
  readonly address: string;
  readonly serial: string;
  readonly temperatureCelsius: number;
  /** Percentage of the rated life; may exceed 100. */
  readonly percentUsed: number;
  readonly mediaErrors: number;
  /** By name, as in `spare`. */
  readonly warnings: ReadonlyMap<string, boolean>;
  readonly readAt: Date;
}

/** Registers the space of SCM. @returns what reads it */
export function scmMetrics(
  registry: Registry,
  read: () => Promise<readonly ScmReading[]>,
): () => Promise<void> {
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ["index"], registers: [registry] });
  const size = gauge("daos_scm_size_bytes", "Size of the file system at an engine's scm_mount");
  const free = gauge("daos_scm_free_bytes", "Free space of the file system at an engine's scm_mount");
  return async () => {
    const readings = await read();
    size.reset();
    free.reset();
    for (const { index, ...bytes } of readings) {
      size.set({ index }, bytes.size);
      free.set({ index }, bytes.free);
    }
  };
}

/** Registers the health of NVMe controllers. @returns what reads it */
export function nvmeMetrics(registry: Registry, read: () => readonly NvmeReading[]): () => Promise<void> {
  const labelNames = ["address", "serial"] as const;
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames, registers: [registry] });
  const temperature = gauge("daos_nvme_temperature_celsius", "Composite temperature of a controller");
  const used = gauge("daos_nvme_used_ratio", "Used part of a controller's rated life; may exceed 1");
  const errors = gauge("daos_nvme_media_errors", "Media and data integrity errors of a controller");
  const readAt = gauge("daos_nvme_read_timestamp_seconds", "When a controller's health was read");
  const warning = new Gauge({
    name: "daos_nvme_warning",
    help: "1 for a critical warning that a controller reports",
    labelNames: [...labelNames, "warning"],
    registers: [registry],
  });
  return async () => {
    for (const one of [temperature, used, errors, readAt, warning]) one.reset();
    for (const { address, serial, ...health } of read()) {
      const labels = { address, serial };
      temperature.set(labels, health.temperatureCelsius);
      used.set(labels, health.percentUsed / 100);
      errors.set(labels, health.mediaErrors);
      readAt.set(labels, health.readAt.getTime() / 1000);
      for (const [name, isSet] of health.warnings) warning.set({ ...labels, warning: name }, isSet ? 1 : 0);
    }
  };
}
