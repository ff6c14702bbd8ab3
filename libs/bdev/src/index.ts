export { allocateNamespaces, engineOf } from "./allocate-namespaces.ts";

export type { BdevOperations } from "./bdev-operations.ts";
export { type BdevPrepareResult, DEFAULT_HUGEPAGES } from "./bdev-preparer.ts";
export {
  type BdevBurnInResult,
  type BdevFormatResult,
  BdevProvider,
} from "./bdev-provider.ts";
export {
  type BdevStorage,
  type NvmeController,
  type NvmeSource,
  UNKNOWN_HEALTH,
} from "./bdev-types.ts";
export { type BurnInVerdict, DEFAULT_BURN_IN_MS, MAX_BURN_IN_MS } from "./burn-in.ts";
export {
  type ControllerCache,
  fileCache,
  inProcessCache,
} from "./controller-cache.ts";
export { bdevFileSize, createBdevFiles } from "./create-bdev-files.ts";
export { whyNotOffered, whyParked, whyUnusable } from "./device-limits.ts";
export { DeviceUses } from "./device-use.ts";
export { DRIVER_JOURNAL, type DriverJournal, fileJournal } from "./driver-journal.ts";
export { faultBurnInFailed, faultInUse, showBurnInError } from "./faults.ts";
export { BdevForwarder } from "./forward/bdev-forwarder.ts";
export { bdevHandlers } from "./forward/bdev-handlers.ts";
export { bdevMethods } from "./forward/bdev-methods.ts";
export { forwardingBdev } from "./forward/forwarding-bdev.ts";
export {
  type HealthSample,
  type HealthTrend,
  healthTrend,
} from "./health.ts";
export { HealthHistory } from "./health-history.ts";

export { KernelBackend } from "./kernel-backend.ts";
export { parsePciAddress } from "./pci-address.ts";
export { PciDrivers, USER_DRIVERS } from "./pci-drivers.ts";
export { type DeviceProgress, progressMeter } from "./progress-meter.ts";
export { NVME_CONF, renderNvmeConf } from "./render-nvme-conf.ts";
export { type ControllerSelection, whyNotSelected } from "./select-controllers.ts";
export { SpdkBackend } from "./spdk-backend.ts";
