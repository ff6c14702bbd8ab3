import type { Fault, FaultAudience } from "@daos/fault";
import { ctl, grpc, mgmt, reflection, reflectionAlpha } from "@daos/proto";
import { faultNotAuthorized, faultUnknownCall } from "./faults.ts";
import type { Peer } from "./peer.ts";
import type { Role } from "./role.ts";

type MethodsOf<Service extends { readonly method: object }> = Readonly<
  Record<keyof Service["method"], readonly [Role, ...Role[]]>
>;

/** Who may call `ctl.MgmtCtl`, the service of each host. The compiler refuses a table without some RPC. */
const MGMT_CTL: MethodsOf<typeof ctl.MgmtCtl> = {
  storagePrepare: ["admin"],
  storageScan: ["admin"],
  storageFormat: ["admin"],
  systemMemberQuery: ["admin"],
  systemStop: ["admin"],
  networkListProviders: ["admin"],
  networkScanDevices: ["admin"],
  systemQuery: ["admin"],
  systemStopMembers: ["admin"],
  systemStart: ["admin"],
  systemExclude: ["admin"],
  systemClearExclude: ["admin"],
  systemErase: ["admin"],
  systemEvents: ["admin"],
  storageFormatWatch: ["admin"],
  storageBurnIn: ["admin"],
  storageUsage: ["admin"],
  smdQuery: ["admin"],
  setLogMasks: ["admin"],
  serverVersion: ["admin"],
  serverQuery: ["admin"],
  supportCollect: ["admin"],
  msStatus: ["admin"],
};

/** Who may call `mgmt.MgmtSvc`, the management service. */
const MGMT_SVC: MethodsOf<typeof mgmt.MgmtSvc> = {
  join: ["server"],
  leaderQuery: ["admin", "server", "agent"],
  poolCreate: ["admin"],
  poolDestroy: ["admin"],
  poolGetACL: ["admin"],
  poolOverwriteACL: ["admin"],
  poolUpdateACL: ["admin"],
  poolDeleteACL: ["admin"],
  getAttachInfo: ["agent", "admin"],
  bioHealthQuery: ["admin"],
  smdListDevs: ["admin"],
  smdListPools: ["admin"],
  prepShutdown: ["server"],
  killRank: ["server"],
  listPools: ["admin"],
  reportEngines: ["server"],
  startRank: ["server"],
  eraseRank: ["server"],
  callEngine: ["server"],
  callLeader: ["server"],
};

/** Who may query the health of the server: monitoring, with any certificate of the system. */
const HEALTH: MethodsOf<typeof grpc.Health> = {
  check: ["admin", "server", "agent"],
  watch: ["admin", "server", "agent"],
};

/** Who may query the list of calls. */
const REFLECTION: MethodsOf<typeof reflection.ServerReflection> = { serverReflectionInfo: ["admin"] };

/** The services of the table, by their names on the wire. */
const TABLE: readonly (readonly [Service, Readonly<Record<string, readonly Role[]>>])[] = [
  [ctl.MgmtCtl, MGMT_CTL],
  [mgmt.MgmtSvc, MGMT_SVC],
  [grpc.Health, HEALTH],
  [reflection.ServerReflection, REFLECTION],
  [reflectionAlpha.ServerReflection, REFLECTION],
];

interface Service {
  readonly typeName: string;
  readonly methods: readonly { readonly name: string; readonly localName: string }[];
}

/** `/mgmt.MgmtSvc/Join` -> roles: every call that any role may make. */
export const RPC_ROLES: ReadonlyMap<string, readonly Role[]> = new Map(
  TABLE.flatMap(([service, rows]) =>
    service.methods.flatMap((method) => {
      const roles = rows[method.localName];
      return roles === undefined ? [] : [[`/${service.typeName}/${method.name}`, roles] as const];
    }),
  ),
);

/**
 * These calls come from the leader or an access point on behalf of an administrator, who must see the complete fault.
 */
const DIRECTING: ReadonlySet<string> = new Set(
  (["prepShutdown", "killRank", "startRank", "eraseRank", "callEngine"] as const).map(
    (name) => `/${mgmt.MgmtSvc.typeName}/${mgmt.MgmtSvc.method[name].name}`,
  ),
);

/** The receiver of a call's faults: an operator also sees paths of this host. */
export function audienceOf(peer: Peer | undefined, path: string): FaultAudience {
  if (peer === undefined) return "peer";
  if (peer.kind === "insecure" || peer.role === "admin") return "operator";
  return peer.role === "server" && DIRECTING.has(path) ? "operator" : "peer";
}

/** The answer of {@link authorize}. */
export type Authorization =
  | { readonly kind: "allowed" }
  | { readonly kind: "denied"; readonly fault: Fault }
  /** No row in the table: denied, whatever the role. */
  | { readonly kind: "unknown"; readonly fault: Fault };

/**
 * Decides whether a role may make a call, given by its path such as `/mgmt.MgmtSvc/Join`. A call that is not listed is
 * denied.
 */
export function authorize(role: Role, path: string): Authorization {
  const roles = RPC_ROLES.get(path);
  if (roles === undefined) return { kind: "unknown", fault: faultUnknownCall(path) };
  if (roles.includes(role)) return { kind: "allowed" };
  return { kind: "denied", fault: faultNotAuthorized(path, role, roles) };
}
