import { ctl, mgmt } from "@daos/proto";

/** The content of a request, as fields of a line. */
type AuditFields = Readonly<Record<string, unknown>>;
type Describe<Message> = (message: Message) => AuditFields;

/** The fields of a method that changes something; undefined for a method that only reads, which is not logged. */
type AuditOf<Service extends { readonly method: object }> = Readonly<
  Record<keyof Service["method"], Describe<never> | "reads">
>;

/** Maximum number of entries of a list in a line. */
const MAX_SHOWN = 32;

/** `"0,1,2 and 5 more"`; undefined for an empty list. */
function shown(entries: readonly unknown[]): string | undefined {
  if (entries.length === 0) return undefined;
  const first = entries.slice(0, MAX_SHOWN).join(",");
  return entries.length > MAX_SHOWN ? `${first} and ${entries.length - MAX_SHOWN} more` : first;
}

const nothing = () => ({});
const action: Describe<ctl.SystemActionReq> = ({ selection, force }) => ({
  ranks: shown(selection?.ranks ?? []),
  hosts: shown(selection?.hosts ?? []),
  force: force || undefined,
});
const acl: Describe<mgmt.ModifyACLReq> = ({ uuid, ACL }) => ({ pool: uuid, acl: shown(ACL) });

const MGMT_CTL: AuditOf<typeof ctl.MgmtCtl> = {
  storagePrepare: ({ nvme, scm }: ctl.StoragePrepareReq) => ({
    nvme: nvme === undefined ? undefined : nvme.reset ? "reset" : "prepare",
    scm: scm === undefined ? undefined : scm.reset ? "reset" : "prepare",
    devices: nvme?.pciwhitelist || undefined,
  }),
  storageScan: "reads",
  storageFormat: ({ reformat }: ctl.StorageFormatReq) => ({ reformat: reformat || undefined }),
  systemMemberQuery: "reads",
  systemStop: nothing,
  networkListProviders: "reads",
  networkScanDevices: "reads",
  systemQuery: "reads",
  systemStopMembers: action,
  systemStart: action,
  systemExclude: action,
  systemClearExclude: action,
  systemErase: action,
  systemEvents: "reads",
  storageFormatWatch: ({ reformat }: ctl.StorageFormatWatchReq) => ({ reformat: reformat || undefined }),
  storageBurnIn: ({ devices, seconds }: ctl.StorageBurnInReq) => ({ devices: shown(devices), seconds }),
  storageUsage: "reads",
  smdQuery: "reads",
  setLogMasks: ({ masks, reset }: ctl.SetLogMasksReq) => ({ masks: reset ? "reset" : masks }),
  serverVersion: "reads",
  serverQuery: "reads",
  // It changes nothing, but it reveals logs and configuration.
  supportCollect: nothing,
  msStatus: "reads",
};

const MGMT_SVC: AuditOf<typeof mgmt.MgmtSvc> = {
  join: "reads",
  leaderQuery: "reads",
  poolCreate: ({ uuid, label, scmbytes, nvmebytes, ranks, user, usergroup }: mgmt.PoolCreateReq) => ({
    pool: uuid,
    label: label || undefined,
    scm: scmbytes,
    nvme: nvmebytes,
    ranks: shown(ranks),
    owner: user,
    group: usergroup,
  }),
  poolDestroy: ({ uuid, force }: mgmt.PoolDestroyReq) => ({ pool: uuid, force: force || undefined }),
  poolGetACL: "reads",
  poolOverwriteACL: acl,
  poolUpdateACL: acl,
  poolDeleteACL: ({ uuid, principal }: mgmt.DeleteACLReq) => ({ pool: uuid, principal }),
  getAttachInfo: "reads",
  bioHealthQuery: "reads",
  smdListDevs: "reads",
  smdListPools: "reads",
  prepShutdown: "reads",
  killRank: ({ rank, force }: mgmt.KillRankReq) => ({ rank, force: force || undefined }),
  listPools: "reads",
  reportEngines: "reads",
  startRank: ({ rank }: mgmt.StartRankReq) => ({ rank }),
  eraseRank: ({ rank, uuid }: mgmt.EraseRankReq) => ({ rank, engine: uuid }),
  // These carry a call of a client, which has a line of its own.
  callEngine: "reads",
  callLeader: "reads",
};

const TABLE = [
  [ctl.MgmtCtl, MGMT_CTL],
  [mgmt.MgmtSvc, MGMT_SVC],
] as const;

/**
 * `/mgmt.MgmtSvc/PoolDestroy` -> the fields of its line in the audit log, for every call with which an administrator,
 * or the leader on behalf of one, changes something. Changes that engines make themselves, such as joins, are in the
 * events.
 */
export const AUDITED_CALLS: ReadonlyMap<string, Describe<object>> = new Map(
  TABLE.flatMap(([service, rows]) =>
    service.methods.flatMap(({ name, localName }) => {
      const describe = (rows as Readonly<Record<string, Describe<never> | "reads">>)[localName];
      if (describe === undefined)
        throw new Error(`${service.typeName}/${name} is not in the table of the audit`);
      return describe === "reads"
        ? []
        : [[`/${service.typeName}/${name}`, describe as Describe<object>] as const];
    }),
  ),
);
