export {
  type ScmCallOptions,
  type ScmFormatOptions,
  type ScmOperations,
  ScmProvider,
  type ScmProviderOptions,
} from "./scm-provider.ts";
export type {
  ScmFormatState,
  ScmModule,
  ScmNamespace,
  ScmPrepareResult,
  ScmRegion,
  ScmScan,
  ScmStorage,
} from "./scm-types.ts";
export { validateStorage } from "./validate-storage.ts";
