export { ForwardingScm } from "./forward/forwarding-scm.ts";
export { ScmForwarder } from "./forward/scm-forwarder.ts";
export { scmHandlers } from "./forward/scm-handlers.ts";
export { scmMethods } from "./forward/scm-methods.ts";
export { fileRecords } from "./namespace-records.ts";
export { namespaceUuid } from "./pmem-devices.ts";
export { RememberingScm } from "./remembering-scm.ts";
export type { ScmCallOptions, ScmOperations } from "./scm-operations.ts";
export { ScmProvider } from "./scm-provider.ts";
export type {
  ScmFormatState,
  ScmPrepareResult,
  ScmScan,
  ScmStorage,
} from "./scm-types.ts";
export { validateStorage } from "./validate-storage.ts";
