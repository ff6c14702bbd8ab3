import { boundedText, count, digits, faultMessage, nothing, orUndefined, owner } from "@daos/pbin";
import * as z from "zod";
import { MAX_BURN_IN_MS } from "../burn-in.ts";

const pciAddress = z.string().regex(/^(?:[0-9a-f]{4,6}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/i);

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

const selection = {
  whitelist: boundedText(65536).optional(),
  include: z.array(pciAddress).max(1024).optional(),
  exclude: z.array(pciAddress).max(1024).optional(),
};

/** The result for one controller. */
const controllerOutcome = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("bound"),
    pciAddress: z.string(),
    driver: z.string(),
    contents: z.string().optional(),
  }),
  z.object({ kind: z.literal("skipped"), pciAddress: z.string(), reason: z.string() }),
  z.object({ kind: z.literal("failed"), pciAddress: z.string(), fault: faultMessage }),
]);

const bdevPrepareResult = z.object({
  controllers: z.array(controllerOutcome),
  hugepages: z.array(z.object({ node: z.string(), pages: count })),
});

/** The verdict of a burn-in. */
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

/**
 * The NVMe methods of the privileged helper. Its policy names the controllers that it may change.
 *
 * @see DAOS 0.8.0 src/control/cmd/daos_admin/handler.go
 */
export const bdevMethods = {
  BdevScan: { payload: nothing, result: z.object({ controllers: z.array(nvmeController) }) },
  /** Which controllers a format would refuse, and why. Changes nothing. */
  BdevCheckFormat: {
    payload: z.strictObject({
      devices: z.array(pciAddress).min(1).max(1024),
      /** Erase what the controllers hold. */
      reformat: z.boolean().optional(),
    }),
    result: z.object({ refused: z.array(z.object({ device: z.string(), fault: faultMessage })) }),
  },
  BdevFormat: {
    payload: z.strictObject({
      devices: z.array(pciAddress).min(1).max(1024),
      /** Erase what the controllers hold. */
      reformat: z.boolean().optional(),
    }),
    result: z.object({
      results: z.array(z.object({ device: z.string(), fault: faultMessage.optional() })),
    }),
  },
  /** Writes and verifies empty controllers in parallel, and leaves them empty. */
  BdevBurnIn: {
    payload: z.strictObject({
      devices: z.array(pciAddress).min(1).max(1024),
      /** For each controller, ms. */
      durationMs: z.int().min(1).max(MAX_BURN_IN_MS),
    }),
    result: z.object({
      results: z.array(
        z.object({ device: z.string(), verdict: burnInVerdict.optional(), fault: faultMessage.optional() }),
      ),
    }),
  },
  /**
   * Reserves hugepages and binds the selected controllers to a user-space driver. Controllers that the policy does not name
   * are left alone.
   */
  BdevPrepare: {
    payload: z.strictObject({
      hugepages: z.int().min(0).max(0x7fffffff),
      ...selection,
      owner: owner.optional(),
    }),
    result: bdevPrepareResult,
  },
  /** Controllers that are not selected, or not named by the policy, keep their driver. */
  BdevReset: { payload: z.strictObject(selection), result: bdevPrepareResult },
} as const;
