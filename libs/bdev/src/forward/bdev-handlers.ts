import { type HandlersOf, toFaultMessage } from "@daos/pbin";
import type { BdevOperations } from "../bdev-operations.ts";
import type { BdevPrepareResult } from "../bdev-preparer.ts";
import type { bdevMethods } from "./bdev-methods.ts";

/** The helper's side of `bdevMethods`. The helper's policy has already allowed the request. */
export function bdevHandlers(bdev: Omit<BdevOperations, "check">): HandlersOf<typeof bdevMethods> {
  return {
    BdevScan: async (_payload, { signal }) => ({ controllers: await bdev.scan({ signal }) }),
    BdevCheckFormat: async ({ devices, reformat }, { signal }) => {
      const storage = { class: "nvme", list: devices, number: 0, sizeGB: 0 } as const;
      const results = await bdev.checkFormat(storage, { reformat, signal });
      return {
        refused: results.flatMap(({ device, fault }) =>
          fault === undefined ? [] : [{ device, fault: toFaultMessage(fault) }],
        ),
      };
    },
    BdevFormat: async ({ devices, reformat }, { signal, progress }) => {
      const storage = { class: "nvme", list: devices, number: 0, sizeGB: 0 } as const;
      const results = await bdev.format(storage, { reformat, signal, onProgress: progress });
      return {
        results: results.map(({ device, fault }) =>
          fault === undefined ? { device } : { device, fault: toFaultMessage(fault) },
        ),
      };
    },
    BdevBurnIn: async ({ devices, durationMs }, { signal, progress }) => {
      const results = await bdev.burnIn(devices, { durationMs, signal, onProgress: progress });
      return {
        results: results.map((result) =>
          "fault" in result ? { ...result, fault: toFaultMessage(result.fault) } : result,
        ),
      };
    },
    BdevPrepare: async (options, { signal }) => prepareMessage(await bdev.prepare({ ...options, signal })),
    BdevReset: async (selection, { signal }) => prepareMessage(await bdev.reset({ ...selection, signal })),
  };
}

function prepareMessage({ controllers, hugepages }: BdevPrepareResult) {
  return {
    controllers: controllers.map((outcome) =>
      outcome.kind === "failed" ? { ...outcome, fault: toFaultMessage(outcome.fault) } : outcome,
    ),
    hugepages,
  };
}
