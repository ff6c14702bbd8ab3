import type { ServiceImpl } from "@connectrpc/connect";
import { type DeviceProgress, MAX_BURN_IN_MS } from "@daos/bdev";
import type { ctl } from "@daos/proto";
import { deadline, FORMAT_TIMEOUT_MS } from "@daos/sys";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { serverQuery } from "./server-query.ts";
import { serverVersion } from "./server-version.ts";
import { setLogMasks } from "./set-log-masks.ts";
import { smdQuery } from "./smd-query.ts";
import { storageBurnIn } from "./storage-burn-in.ts";
import { storageFormat } from "./storage-format.ts";
import { storagePrepare } from "./storage-prepare.ts";
import { storageScan } from "./storage-scan.ts";
import { storageUsage } from "./storage-usage.ts";
import { supportCollect } from "./support-collect.ts";
import { systemService } from "./system-service.ts";
import { type DeviceEvent, watchDevices } from "./watch-devices.ts";

/** Time limit of a hardware scan, ms. */
const SCAN_TIMEOUT_MS = 120_000;
/** Time limit of a preparation, ms: namespaces of several TB on each socket. */
const PREPARE_TIMEOUT_MS = 60 * 60_000;

/** Time limit of the engines' answers, ms. */
const ENGINES_TIMEOUT_MS = 60_000;

/** Time limit of a burn-in, ms: the longest burn-in, and some time to begin and to end. */
const BURN_IN_TIMEOUT_MS = MAX_BURN_IN_MS + 20 * 60_000;

/** Time limit of an archive for support, ms. */
const SUPPORT_TIMEOUT_MS = 15 * 60_000;

type OnProgress = (progress: DeviceProgress) => void;

/** The handlers of `ctl.MgmtCtl`: this host's storage and network, and on the leader's host the system. */
export function ctlService(options: CtlServiceOptions): ServiceImpl<typeof ctl.MgmtCtl> {
  const { network } = options;
  return {
    async storagePrepare(request, context) {
      using limit = deadline(PREPARE_TIMEOUT_MS, "prepare storage", context.signal);
      return await storagePrepare(options, request, limit);
    },

    async storageScan(_request, context) {
      using limit = deadline(SCAN_TIMEOUT_MS, "scan storage", context.signal);
      return await storageScan(options, limit);
    },

    async *storageFormat({ reformat }, context) {
      using limit = deadline(FORMAT_TIMEOUT_MS, "format storage", context.signal);
      yield await storageFormat(options, { reformat, signal: limit.signal });
    },

    async *storageFormatWatch({ reformat }, context) {
      using limit = deadline(FORMAT_TIMEOUT_MS, "format storage", context.signal);
      const { signal } = limit;
      const work = (onProgress: OnProgress) => storageFormat(options, { reformat, signal, onProgress });
      for await (const event of watchDevices(work)) yield eventToProto(event);
    },

    async *storageBurnIn(request, context) {
      using limit = deadline(BURN_IN_TIMEOUT_MS, "burn in storage", context.signal);
      const { signal } = limit;
      const work = (onProgress: OnProgress) => storageBurnIn(options, request, { signal, onProgress });
      for await (const event of watchDevices(work)) yield eventToProto(event);
    },

    async storageUsage(_request, context) {
      using limit = deadline(SCAN_TIMEOUT_MS, "look at the use of storage", context.signal);
      return await storageUsage(options, limit);
    },

    async smdQuery(request, context) {
      using limit = deadline(ENGINES_TIMEOUT_MS, "ask the engines about their devices", context.signal);
      return await smdQuery(options, request, limit);
    },

    setLogMasks(request) {
      return setLogMasks(options, request);
    },

    serverVersion() {
      return serverVersion(options);
    },

    serverQuery(request) {
      return serverQuery(options, request);
    },

    async *supportCollect(request, context) {
      using limit = deadline(SUPPORT_TIMEOUT_MS, "collect the logs of this host", context.signal);
      yield* supportCollect(options, request, limit);
    },

    networkListProviders() {
      // The text of release 0.8.0, whose dmg prints it unchanged.
      return { provider: network.listProviders().join(", ") };
    },

    async *networkScanDevices({ provider }, context) {
      using limit = deadline(SCAN_TIMEOUT_MS, "scan fabric interfaces", context.signal);
      const found = await network.scan(provider === "" ? undefined : provider, limit);
      for (const { provider: supported, device, numaNode } of found) {
        yield { provider: supported, device, numanode: numaNode };
      }
    },

    ...systemService(options),
  };
}

/** As in the messages StorageFormatEvent and StorageBurnInEvent. */
function eventToProto<T>(event: DeviceEvent<T>) {
  switch (event.kind) {
    case "progress": {
      const { device, step, fraction, elapsedMs, remainingMs } = event.progress;
      const value = {
        device,
        step,
        fraction,
        elapsedMs: BigInt(Math.round(elapsedMs)),
        ...(remainingMs === undefined ? {} : { remainingMs: BigInt(Math.round(remainingMs)) }),
      };
      return { event: { case: "progress", value } } as const;
    }
    case "result":
      return { event: { case: "results", value: event.result } } as const;
    default:
      return event satisfies never;
  }
}
