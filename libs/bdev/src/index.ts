export type { BdevBackend, BdevCallOptions, WipeOptions, WipeProgress } from "./bdev-backend.ts";
export {
  type BdevPrepareOptions,
  type BdevPrepareResult,
  type ControllerOutcome,
  DEFAULT_HUGEPAGES,
} from "./bdev-preparer.ts";
export {
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
export { type ControllerMemory, fileMemory, forgetfulMemory } from "./controller-memory.ts";
export { bdevFileSize, type CreateBdevFilesOptions, createBdevFiles } from "./create-bdev-files.ts";
export type { NodeHugepages } from "./hugepages.ts";
export { KernelBackend, type KernelBackendOptions } from "./kernel-backend.ts";
export { type PciAddress, parsePciAddress } from "./pci-address.ts";
export type { DeviceProgress } from "./progress-meter.ts";
export { NVME_CONF, renderNvmeConf } from "./render-nvme-conf.ts";
export type { ControllerSelection } from "./select-controllers.ts";
