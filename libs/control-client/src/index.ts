export type { ClientTls } from "@daos/http2";
export { type BlobstoreHealth, type BlobstoreSelector, blobstoreHealth } from "./blobstore-health.ts";
export {
  ControlClient,
  type ControlClientOptions,
  type ControlRequest,
  type HostResult,
  type Outcome,
} from "./control-client.ts";
export type { DeviceProgress, OnDeviceProgress } from "./device-progress.ts";
export { type EngineDevices, type EngineDevicesRequest, engineDevices } from "./engine-devices.ts";
export { HostConnection } from "./host-connection.ts";
export { type AskOptions, LeaderFinder, type LeaderFinderOptions } from "./leader-finder.ts";
export { type LeaderQuery, leaderQuery } from "./leader-query.ts";
export { listPools, type PoolEntry, type PoolList, type PoolState } from "./list-pools.ts";
export { type JoinMessage, MgmtClient, type ReportAnswer, type ReportMessage } from "./mgmt-client.ts";
export { type MsStatus, msStatus } from "./ms-status.ts";
export { networkListProviders } from "./network-list-providers.ts";
export { type FabricInterface, networkScan } from "./network-scan.ts";
export { type Acl, poolDeleteAcl, poolGetAcl, poolOverwriteAcl, poolUpdateAcl } from "./pool-acl.ts";
export { type PoolCreated, type PoolCreateRequest, poolCreate } from "./pool-create.ts";
export { type PoolDestroyRequest, poolDestroy } from "./pool-destroy.ts";
export { resolvePool } from "./resolve-pool.ts";
export { type ServerConfigKey, type ServerEngine, type ServerInfo, serverQuery } from "./server-query.ts";
export { type ServerVersion, serverVersions } from "./server-version.ts";
export { type LogMasks, setLogMasks } from "./set-log-masks.ts";
export { type SmdDevice, type SmdPool, smdListDevices, smdListPools } from "./smd-query.ts";
export {
  type BurnInResult,
  type StorageBurnIn,
  type StorageBurnInRequest,
  storageBurnIn,
} from "./storage-burn-in.ts";
export {
  type FormatResult,
  type StorageFormat,
  type StorageFormatRequest,
  storageFormat,
} from "./storage-format.ts";
export { type StoragePrepare, type StoragePrepareRequest, storagePrepare } from "./storage-prepare.ts";
export {
  type NvmeController,
  type NvmeHealth,
  type NvmeTrend,
  type ScmModule,
  type ScmNamespace,
  type StorageScan,
  storageScan,
} from "./storage-scan.ts";
export { type EngineUsage, storageUsage, type UsagePart } from "./storage-usage.ts";
export { type SupportArchive, supportCollect } from "./support-collect.ts";
export {
  type MemberOutcome,
  type SystemAction,
  type SystemActionName,
  type SystemActionRequest,
  systemAction,
} from "./system-action.ts";
export { type SystemEvent, type SystemEventsRequest, systemEvents } from "./system-events.ts";
export { type SystemMember, systemMemberQuery } from "./system-member-query.ts";
export {
  type MemberSelection,
  type MemberState,
  type MemberStatus,
  type MissingMembers,
  type SystemQuery,
  systemQuery,
} from "./system-query.ts";
export { type MemberAction, systemStop } from "./system-stop.ts";
