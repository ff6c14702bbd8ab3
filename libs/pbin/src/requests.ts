import { z } from "zod";

/** Of the messages below. A helper refuses any other. */
export const PROTOCOL_VERSION = 1;

/** The longest time a request may take, in milliseconds: mkfs on a large namespace, or a format of many devices. */
export const MAX_TIMEOUT_MS = 2 * 60 * 60_000;

/** Text that goes into paths and logs: bounded, nothing unprintable. */
const text = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u);
const path = text(4095).regex(/^\//);
const pciAddress = z.string().regex(/^(?:[0-9a-f]{4,6}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/i);
const id = z.int().min(0).max(4294967294);
const count = z.int().min(0).max(0x7fffffff);
/** Bytes and counters, as digits on the wire. */
const digits = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform((value) => BigInt(value));

/** A property that is always there, but may be undefined: on the wire it is left out. */
const orUndefined = <T extends z.ZodType>(schema: T) => schema.optional().transform((value) => value);

const owner = z.strictObject({ uid: id, gid: id });

const scmStorage = z.discriminatedUnion("class", [
  z.strictObject({
    class: z.literal("ram"),
    mount: path,
    sizeGiB: z
      .int()
      .min(1)
      .max(1024 * 1024),
  }),
  z.strictObject({ class: z.literal("dcpm"), mount: path, device: path }),
]);

const scmNamespace = z.object({
  uuid: z.string(),
  blockdev: z.string(),
  dev: z.string(),
  numaNode: count,
  size: digits,
});

const scmScan = z.object({
  modules: z.array(
    z.object({
      physicalId: count,
      socket: count,
      memoryController: count,
      channel: count,
      channelPosition: count,
      capacity: digits,
    }),
  ),
  namespaces: z.array(scmNamespace),
  notes: z.array(z.string()),
});

const scmFormatState = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("mounted") }),
  z.object({ kind: z.literal("mountable") }),
  z.object({ kind: z.literal("unformatted") }),
  z.object({ kind: z.literal("foreign"), fsType: z.string() }),
]);

const scmPrepareResult = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("no-scm") }),
  z.object({ kind: z.literal("reboot-needed") }),
  z.object({ kind: z.literal("done"), namespaces: z.array(scmNamespace) }),
]);

const nvmeHealth = z.object({
  temperature: z.number(),
  temperatureWarningTime: z.number(),
  temperatureCriticalTime: z.number(),
  controllerBusyTime: digits,
  powerCycles: digits,
  powerOnHours: digits,
  unsafeShutdowns: digits,
  mediaErrors: digits,
  errorLogEntries: digits,
  temperatureWarning: z.boolean(),
  spareWarning: z.boolean(),
  reliabilityWarning: z.boolean(),
  readOnlyWarning: z.boolean(),
  volatileWarning: z.boolean(),
  percentUsed: z.number(),
});

const nvmeController = z.object({
  pciAddress: z.string(),
  model: z.string(),
  serial: z.string(),
  firmware: z.string(),
  numaNode: count,
  pciId: z.string(),
  driver: orUndefined(z.string()),
  namespaces: z.array(z.object({ id: count, size: digits })),
  health: orUndefined(nvmeHealth),
  source: z.enum(["kernel", "spdk", "last-known", "pci"]),
});

/** What crosses the wire when something fails. */
export const faultSchema = z.object({
  domain: z.string(),
  code: z.int(),
  description: z.string(),
  reason: z.string().optional(),
  resolution: z.string(),
});

/** What became of one controller. */
const controllerOutcome = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("bound"), pciAddress: z.string(), driver: z.string() }),
  z.object({ kind: z.literal("skipped"), pciAddress: z.string(), reason: z.string() }),
  z.object({ kind: z.literal("failed"), pciAddress: z.string(), fault: faultSchema }),
]);

const bdevPrepareResult = z.object({
  controllers: z.array(controllerOutcome),
  hugepages: z.array(z.object({ node: z.string(), pages: count })),
});

/** How a controller came through a burn-in. */
const burnInVerdict = z.object({
  kind: z.enum(["passed", "failed", "aborted"]),
  bytesWritten: digits,
  bytesVerified: digits,
  elapsedMs: z.number(),
  errors: z.array(
    z.object({ kind: z.enum(["write", "read", "mismatch"]), offset: digits, message: z.string() }),
  ),
  findings: z.array(z.string()),
});

const nothing = z.strictObject({});

/**
 * Every request that exists, by method. What a request may name (a mount point, a device) the helper looks up in its
 * policy; what it may not name (mount flags, commands, files) has no field. Payloads are strict: an unknown field is
 * refused. Results are read with tolerance.
 *
 * @see DAOS 0.8.0 src/control/cmd/daos_admin/handler.go
 */
export const helperMethods = {
  /** Who the helper takes the caller for, and what its policy allows. Changes nothing. */
  Status: {
    payload: nothing,
    result: z.object({
      release: z.string(),
      caller: z.object({ uid: id, gid: id, pid: count }),
      policy: z.object({
        source: z.string(),
        mounts: z.array(z.string()),
        devices: z.array(z.string()),
        pciAddresses: z.array(z.string()),
      }),
    }),
  },
  ScmScan: { payload: nothing, result: scmScan },
  ScmCheckFormat: { payload: z.strictObject({ storage: scmStorage }), result: scmFormatState },
  /** Leaves the storage mounted, empty, and owned by `owner`: the caller by default. */
  ScmFormat: {
    payload: z.strictObject({ storage: scmStorage, reformat: z.boolean(), owner: owner.optional() }),
    result: nothing,
  },
  ScmMount: { payload: z.strictObject({ storage: scmStorage }), result: nothing },
  ScmUnmount: { payload: z.strictObject({ storage: scmStorage }), result: nothing },
  /** Makes namespaces of all persistent memory, one step at each call. */
  ScmPrepare: { payload: nothing, result: scmPrepareResult },
  /** Destroys all namespaces. */
  ScmReset: { payload: nothing, result: scmPrepareResult },
  BdevScan: { payload: nothing, result: z.object({ controllers: z.array(nvmeController) }) },
  BdevFormat: {
    payload: z.strictObject({ devices: z.array(pciAddress).min(1).max(1024) }),
    result: z.object({
      results: z.array(z.object({ device: z.string(), fault: faultSchema.optional() })),
    }),
  },
  /** Writes and verifies controllers that hold nothing, all at once, and leaves them empty. */
  BdevBurnIn: {
    payload: z.strictObject({
      devices: z.array(pciAddress).min(1).max(1024),
      /** For each controller, ms. */
      durationMs: z
        .int()
        .min(1)
        .max(90 * 60_000),
    }),
    result: z.object({
      results: z.array(
        z.object({ device: z.string(), verdict: burnInVerdict.optional(), fault: faultSchema.optional() }),
      ),
    }),
  },
  /** Hugepages, and the selected controllers to a user-space driver; those that the policy does not name are left alone. */
  BdevPrepare: {
    payload: z.strictObject({
      hugepages: z.int().min(0).max(0x7fffffff),
      whitelist: text(65536).optional(),
      include: z.array(pciAddress).max(1024).optional(),
      exclude: z.array(pciAddress).max(1024).optional(),
      owner: owner.optional(),
    }),
    result: bdevPrepareResult,
  },
  BdevReset: { payload: nothing, result: bdevPrepareResult },
} as const;

export type HelperMethod = keyof typeof helperMethods;
export type HelperPayload<M extends HelperMethod> = z.output<(typeof helperMethods)[M]["payload"]>;
export type HelperResult<M extends HelperMethod> = DeepReadonly<
  z.output<(typeof helperMethods)[M]["result"]>
>;

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** One of the closed set, with its payload. */
export type HelperRequest<M extends HelperMethod = HelperMethod> = {
  readonly [K in M]: { readonly method: K; readonly payload: HelperPayload<K> };
}[M];

/** The frame that carries a request. */
export const requestEnvelope = z.strictObject({
  version: z.int().min(0),
  method: text(64),
  /** How long the caller will wait. */
  timeoutMs: z.int().min(1).max(MAX_TIMEOUT_MS),
  payload: z.unknown(),
});

/** How far the work on one device has come. The helper may send any number of these before its answer. */
export const progressEnvelope = z.object({
  version: z.int().min(0),
  progress: z.object({
    device: z.string(),
    step: z.string(),
    fraction: z.number(),
    elapsedMs: z.number(),
    remainingMs: z.number().optional(),
  }),
});

/** As in `DeviceProgress` of `@daos/bdev`. */
export interface HelperProgress {
  readonly device: string;
  readonly step: string;
  /** From 0 to 1. */
  readonly fraction: number;
  readonly elapsedMs: number;
  readonly remainingMs: number | undefined;
}

/** The frame that carries the answer: a result, or a fault. */
export const responseEnvelope = z.object({
  version: z.int().min(0),
  error: faultSchema.nullable(),
  result: z.unknown(),
});
