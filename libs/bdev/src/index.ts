export { allocateNamespaces, type NamespaceAllocation } from "./allocate-namespaces.ts";
export type {
  BackendBurnInOptions,
  BdevBackend,
  BdevCallOptions,
  WipeOptions,
  WipeProgress,
} from "./bdev-backend.ts";
export type { BdevOperations } from "./bdev-operations.ts";
export {
  type BdevPrepareOptions,
  type BdevPrepareResult,
  type BdevResetOptions,
  type ControllerOutcome,
  DEFAULT_HUGEPAGES,
} from "./bdev-preparer.ts";
export {
  type BdevBurnInOptions,
  type BdevBurnInResult,
  type BdevFormatOptions,
  type BdevFormatResult,
  BdevProvider,
  type BdevProviderOptions,
} from "./bdev-provider.ts";
export {
  type BdevStorage,
  type NvmeController,
  type NvmeHealth,
  type NvmeNamespace,
  type NvmeSource,
  UNKNOWN_HEALTH,
} from "./bdev-types.ts";
export { type BurnInError, type BurnInVerdict, DEFAULT_BURN_IN_MS, MAX_BURN_IN_MS } from "./burn-in.ts";
export {
  type ControllerCache,
  type FileCacheOptions,
  fileCache,
  inProcessCache,
} from "./controller-cache.ts";
export { bdevFileSize, type CreateBdevFilesOptions, createBdevFiles } from "./create-bdev-files.ts";
export { faultBurnInFailed, faultInUse, showBurnInError } from "./faults.ts";
export { BdevForwarder } from "./forward/bdev-forwarder.ts";
export { bdevHandlers } from "./forward/bdev-handlers.ts";
export { bdevMethods } from "./forward/bdev-methods.ts";
export { forwardingBdev } from "./forward/forwarding-bdev.ts";
export {
  byWarnings,
  type HealthSample,
  type HealthTrend,
  healthTrend,
  healthWarnings,
  sampleOf,
} from "./health.ts";
export { HealthHistory, type HealthHistoryOptions } from "./health-history.ts";
export type { NodeHugepages } from "./hugepages.ts";
export { KernelBackend, type KernelBackendOptions } from "./kernel-backend.ts";
export { type PciAddress, parsePciAddress } from "./pci-address.ts";
export { type DeviceProgress, progressMeter } from "./progress-meter.ts";
export { NVME_CONF, renderNvmeConf } from "./render-nvme-conf.ts";
export { type ControllerSelection, whyNotSelected } from "./select-controllers.ts";
export { DEFAULT_SPDK_SOCKET, SpdkBackend, type SpdkBackendOptions } from "./spdk-backend.ts";
