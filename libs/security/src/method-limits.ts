import { ctl, grpc, mgmt, reflection, reflectionAlpha } from "@daos/proto";
import type { FieldLimit, FieldLimits } from "./field-limit.ts";

/** The limits of a request of one method. */
export interface MethodLimit {
  /** Maximum size of a request, as sent and after decompression, bytes. */
  readonly maxRequestBytes: number;
  readonly fields: FieldLimits;
}

type FieldsOf<Message> = Readonly<Record<Exclude<keyof Message, "$typeName" | "$unknown">, FieldLimit>>;
/** The compiler refuses a table without some RPC. */
type LimitsOf<Service extends { readonly method: object }> = Readonly<
  Record<keyof Service["method"], MethodLimit>
>;

/**
 * Maximum number of members of a system: each has a rank, a document of about 500 bytes, and an entry in every answer.
 */
export const MAX_MEMBERS = 65_536;
/** Maximum length of the reason of a member's state, in characters. */
export const MAX_REASON = 1024;
/**
 * Maximum length of a fabric address, in characters.
 *
 * @see DAOS 0.8.0's CaRT, CRT_ADDR_STR_MAX_LEN: 128, and 256 in later releases
 */
export const MAX_URI = 256;
/** Maximum length of the path of a fault domain, in characters. */
export const MAX_FAULT_DOMAIN = 1024;
/** Maximum number of fabric contexts of an engine, one for each of its threads. */
export const MAX_CONTEXTS = 65_536;
/** Maximum number of engines of one host. */
export const MAX_ENGINES = 64;
/** Maximum part of each log in a host's archive for support, MiB. */
const MAX_LOG_MIB = 64;
/** Maximum length of a control address, in characters: a host name of 255 characters, and a port. */
export const MAX_ADDRESS = 263;

const KIB = 1024;
/** Enough for a few names, ranks and flags. */
const SMALL = 4 * KIB;
/** A request that goes on to the engine must fit into a packet of dRPC, which is 16384 bytes. */
const PACKET = 16 * KIB;
/** A certificate with an RSA key of 4096 bits has less than 2 KiB. */
const MAX_CERTIFICATE = 8 * KIB;
/** A selection of every member of the largest system, by rank or by host. */
const SELECTION = 2048 * KIB;

const ANY: FieldLimit = { kind: "any" };
const RANK: FieldLimit = { kind: "rank", nil: false };
const UUID: FieldLimit = {
  kind: "text",
  max: 36,
  pattern: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i,
  shape: "a uuid",
};
const OPTIONAL_UUID: FieldLimit = { ...UUID, optional: true };
const ADDRESS: FieldLimit = {
  kind: "text",
  max: MAX_ADDRESS,
  pattern: /^(?:\[[\da-f:.]+(?:%[\w.-]+)?\]|[\w.-]+)(?::\d{1,5})?$/i,
  shape: "a host address as in 10.0.0.1:10001",
};
/** CaRT makes them: `ofi+verbs;ofi_rxm://10.0.0.1:31416`, with psm2 an address of its own after the slashes. */
const URI: FieldLimit = {
  kind: "text",
  max: MAX_URI,
  pattern: /^[\x21-\x7e]+$/,
  shape: "a fabric address as in ofi+sockets://10.0.0.1:31416",
};
const FAULT_DOMAIN: FieldLimit = {
  kind: "text",
  max: MAX_FAULT_DOMAIN,
  pattern: /^\/[^\p{Cc}\p{Zs}]*$/u,
  shape: "a path as in /rack1/node3",
  optional: true,
};

/** A text of one line. */
const line = (shape: string, max: number): FieldLimit => ({
  kind: "text",
  max,
  pattern: /^[^\p{Cc}]+$/u,
  shape: `${shape} on one line`,
  optional: true,
});
const number = (min: number, max: number): FieldLimit => ({ kind: "number", min, max });
/** From 1; 0 from a server that does not report it. */
const ENGINE_NUMBER = number(0, MAX_ENGINES);
const list = (max: number, of: FieldLimit): FieldLimit => ({ kind: "list", max, of });
const message = (fields: FieldLimits): FieldLimit => ({ kind: "message", fields });
const UINT32 = number(0, 0xffff_ffff);

const SYSTEM = line("the name of a system", 255);
/** As in `A::OWNER@:rw`; a principal has 255 characters. @see DAOS 0.8.0 daos_security.h DAOS_ACL_MAX_PRINCIPAL_LEN */
const ACL = list(2048, line("an entry of an access control list", 512));
const PRINCIPAL = line("a principal", 512);

const SELECT: FieldLimit = message({
  ranks: list(MAX_MEMBERS, RANK),
  hosts: list(MAX_MEMBERS, ADDRESS),
} satisfies FieldsOf<ctl.MemberSelection>);

const NONE: MethodLimit = { maxRequestBytes: SMALL, fields: {} };
const ACTION: MethodLimit = {
  maxRequestBytes: SELECTION,
  fields: {
    selection: SELECT,
    force: ANY,
    fanout: UINT32,
    timeoutMs: UINT32,
  } satisfies FieldsOf<ctl.SystemActionReq>,
};

const MGMT_CTL: LimitsOf<typeof ctl.MgmtCtl> = {
  storagePrepare: {
    maxRequestBytes: PACKET,
    fields: {
      nvme: message({
        pciwhitelist: {
          kind: "text",
          max: 8192,
          pattern: /^(?:[^\p{Cc}]|\s)+$/u,
          shape: "PCI addresses with white space between them",
          optional: true,
        },
        nrhugepages: number(-0x8000_0000, 0x7fff_ffff),
        targetuser: line("the name of a user", 256),
        reset: ANY,
      } satisfies FieldsOf<ctl.PrepareNvmeReq>),
      scm: message({ reset: ANY } satisfies FieldsOf<ctl.PrepareScmReq>),
    } satisfies FieldsOf<ctl.StoragePrepareReq>,
  },
  storageScan: {
    maxRequestBytes: SMALL,
    fields: { nvme: message({}), scm: message({}) } satisfies FieldsOf<ctl.StorageScanReq>,
  },
  storageFormat: {
    maxRequestBytes: SMALL,
    fields: { nvme: message({}), scm: message({}), reformat: ANY } satisfies FieldsOf<ctl.StorageFormatReq>,
  },
  systemMemberQuery: NONE,
  systemStop: NONE,
  networkListProviders: NONE,
  networkScanDevices: {
    maxRequestBytes: SMALL,
    fields: { provider: line("the name of a provider", 256) } satisfies FieldsOf<ctl.DeviceScanRequest>,
  },
  systemQuery: {
    maxRequestBytes: SELECTION,
    fields: { selection: SELECT } satisfies FieldsOf<ctl.SystemQueryReq>,
  },
  systemStopMembers: ACTION,
  systemStart: ACTION,
  systemExclude: ACTION,
  systemClearExclude: ACTION,
  systemErase: ACTION,
  systemEvents: {
    maxRequestBytes: SMALL,
    fields: { follow: ANY, after: ANY, since: ANY } satisfies FieldsOf<ctl.SystemEventsReq>,
  },
  storageFormatWatch: {
    maxRequestBytes: SMALL,
    fields: { reformat: ANY } satisfies FieldsOf<ctl.StorageFormatWatchReq>,
  },
  storageBurnIn: {
    maxRequestBytes: PACKET,
    fields: {
      devices: list(512, line("a PCI address", 32)),
      seconds: UINT32,
    } satisfies FieldsOf<ctl.StorageBurnInReq>,
  },
  storageUsage: NONE,
  smdQuery: {
    maxRequestBytes: SMALL,
    fields: {
      devices: ANY,
      pools: ANY,
      health: ANY,
      device: OPTIONAL_UUID,
      target: line("the number of a target", 16),
      ranks: list(MAX_ENGINES, RANK),
    } satisfies FieldsOf<ctl.SmdQueryReq>,
  },
  setLogMasks: {
    maxRequestBytes: SMALL,
    fields: { masks: line("the name of a level", 256), reset: ANY } satisfies FieldsOf<ctl.SetLogMasksReq>,
  },
  serverVersion: NONE,
  serverQuery: {
    maxRequestBytes: SMALL,
    fields: { config: ANY } satisfies FieldsOf<ctl.ServerQueryReq>,
  },
  msStatus: NONE,
  supportCollect: {
    maxRequestBytes: SMALL,
    fields: { logMib: number(0, MAX_LOG_MIB) } satisfies FieldsOf<ctl.SupportCollectReq>,
  },
};

const POOL = { maxRequestBytes: PACKET, fields: { uuid: UUID } satisfies FieldsOf<mgmt.GetACLReq> };
const MODIFY_ACL: MethodLimit = {
  maxRequestBytes: PACKET,
  fields: { uuid: UUID, ACL } satisfies FieldsOf<mgmt.ModifyACLReq>,
};

const MGMT_SVC: LimitsOf<typeof mgmt.MgmtSvc> = {
  join: {
    maxRequestBytes: SMALL,
    fields: {
      uuid: UUID,
      rank: { kind: "rank", nil: true },
      uri: URI,
      nctxs: number(0, MAX_CONTEXTS),
      addr: ADDRESS,
      faultDomain: FAULT_DOMAIN,
      recorded: ANY,
      reports: ANY,
      engineNumber: ENGINE_NUMBER,
    } satisfies FieldsOf<mgmt.JoinReq>,
  },
  leaderQuery: {
    maxRequestBytes: SMALL,
    fields: { system: SYSTEM } satisfies FieldsOf<mgmt.LeaderQueryReq>,
  },
  poolCreate: {
    maxRequestBytes: PACKET,
    fields: {
      scmbytes: ANY,
      nvmebytes: ANY,
      ranks: list(MAX_MEMBERS, RANK),
      numsvcreps: UINT32,
      user: PRINCIPAL,
      usergroup: PRINCIPAL,
      uuid: UUID,
      sys: SYSTEM,
      acl: ACL,
      label: { kind: "text", max: 127, pattern: /^[\w.:-]+$/, shape: "the label of a pool", optional: true },
    } satisfies FieldsOf<mgmt.PoolCreateReq>,
  },
  poolDestroy: {
    maxRequestBytes: SMALL,
    fields: { uuid: UUID, sys: SYSTEM, force: ANY } satisfies FieldsOf<mgmt.PoolDestroyReq>,
  },
  poolGetACL: POOL,
  poolOverwriteACL: MODIFY_ACL,
  poolUpdateACL: MODIFY_ACL,
  poolDeleteACL: {
    maxRequestBytes: SMALL,
    fields: { uuid: UUID, principal: PRINCIPAL } satisfies FieldsOf<mgmt.DeleteACLReq>,
  },
  getAttachInfo: {
    maxRequestBytes: SMALL,
    fields: { sys: SYSTEM } satisfies FieldsOf<mgmt.GetAttachInfoReq>,
  },
  bioHealthQuery: {
    maxRequestBytes: SMALL,
    fields: {
      devUuid: OPTIONAL_UUID,
      tgtId: line("the number of a target", 16),
    } satisfies FieldsOf<mgmt.BioHealthReq>,
  },
  smdListDevs: NONE,
  smdListPools: NONE,
  prepShutdown: { maxRequestBytes: SMALL, fields: { rank: RANK } satisfies FieldsOf<mgmt.PrepShutdownReq> },
  killRank: {
    maxRequestBytes: SMALL,
    fields: { force: ANY, rank: RANK } satisfies FieldsOf<mgmt.KillRankReq>,
  },
  listPools: {
    maxRequestBytes: SMALL,
    fields: { sys: SYSTEM, recorded: ANY } satisfies FieldsOf<mgmt.ListPoolsReq>,
  },
  reportEngines: {
    // 64 reasons and 32 warnings, before they are cut.
    maxRequestBytes: 256 * KIB,
    fields: {
      addr: ADDRESS,
      engines: list(
        MAX_ENGINES,
        message({
          // An engine without a superblock has none yet.
          uuid: OPTIONAL_UUID,
          incarnation: UINT32,
          state: number(0, 3),
          reason: { kind: "remark", max: MAX_REASON },
          number: ENGINE_NUMBER,
        } satisfies FieldsOf<mgmt.ReportEnginesReq_Engine>),
      ),
      intervalMs: UINT32,
      warnings: { kind: "list", max: 32, of: { kind: "remark", max: MAX_REASON }, cut: true },
      configured: ENGINE_NUMBER,
    } satisfies FieldsOf<mgmt.ReportEnginesReq>,
  },
  startRank: { maxRequestBytes: SMALL, fields: { rank: RANK } satisfies FieldsOf<mgmt.StartRankReq> },
  eraseRank: {
    maxRequestBytes: SMALL,
    fields: { rank: RANK, uuid: UUID } satisfies FieldsOf<mgmt.EraseRankReq>,
  },
  callEngine: {
    maxRequestBytes: PACKET + MAX_CERTIFICATE + KIB,
    fields: {
      method: number(0, 0x7fff_ffff),
      body: { kind: "bytes", max: PACKET },
      caller: { kind: "bytes", max: MAX_CERTIFICATE },
    } satisfies FieldsOf<mgmt.CallEngineReq>,
  },
  callLeader: {
    maxRequestBytes: PACKET + MAX_CERTIFICATE + KIB,
    fields: {
      method: number(0, 0x7fff_ffff),
      body: { kind: "bytes", max: PACKET },
      caller: { kind: "bytes", max: MAX_CERTIFICATE },
      address: line("the IP address of the client", 64),
    } satisfies FieldsOf<mgmt.CallLeaderReq>,
  },
};

const HEALTH_CHECK: MethodLimit = {
  maxRequestBytes: SMALL,
  fields: { service: line("the name of a service", 255) } satisfies FieldsOf<grpc.HealthCheckRequest>,
};
const HEALTH: LimitsOf<typeof grpc.Health> = { check: HEALTH_CHECK, watch: HEALTH_CHECK };

const REFLECTION: LimitsOf<typeof reflection.ServerReflection> = {
  serverReflectionInfo: {
    // Of all questions in one stream.
    maxRequestBytes: 64 * KIB,
    fields: {
      host: line("a host", MAX_ADDRESS),
      messageRequest: ANY,
    } satisfies FieldsOf<reflection.ServerReflectionRequest>,
  },
};

const TABLE = [
  [ctl.MgmtCtl, MGMT_CTL],
  [mgmt.MgmtSvc, MGMT_SVC],
  [grpc.Health, HEALTH],
  [reflection.ServerReflection, REFLECTION],
  [reflectionAlpha.ServerReflection, REFLECTION],
] as const;

/** `/mgmt.MgmtSvc/Join` -> the limits of its request, for every call of every service. */
export const METHOD_LIMITS: ReadonlyMap<string, MethodLimit> = new Map(
  TABLE.flatMap(([service, rows]) =>
    service.methods.map(({ name, localName }) => {
      const limit = (rows as Readonly<Record<string, MethodLimit>>)[localName];
      if (limit === undefined) throw new Error(`${service.typeName}/${name} has no limits`);
      return [`/${service.typeName}/${name}`, limit] as const;
    }),
  ),
);
