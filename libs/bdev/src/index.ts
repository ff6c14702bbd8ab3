export type { BdevBackend, BdevCallOptions } from "./bdev-backend.ts";
export { type BdevFormatResult, BdevProvider, type BdevProviderOptions } from "./bdev-provider.ts";
export {
  type BdevStorage,
  type NvmeController,
  type NvmeHealth,
  type NvmeNamespace,
  type NvmeSource,
  UNKNOWN_HEALTH,
} from "./bdev-types.ts";
export { bdevFileSize, type CreateBdevFilesOptions, createBdevFiles } from "./create-bdev-files.ts";
export { KernelBackend, type KernelBackendOptions } from "./kernel-backend.ts";
export { type PciAddress, parsePciAddress } from "./pci-address.ts";
export { NVME_CONF, renderNvmeConf } from "./render-nvme-conf.ts";
