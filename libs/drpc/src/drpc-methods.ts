import { auth, mgmt, srv } from "@daos/proto";
import type { Body, DrpcMethod } from "./drpc-method.ts";

/** The modules of the contract. */
export const drpcModules = {
  /** The agent's module. */
  securityAgent: 1,
  /** Calls to the engine. */
  mgmt: 2,
  /** Calls by the engine. */
  srv: 3,
  /** The server's module, called by the engine. */
  security: 4,
} as const;

type Table = Readonly<Record<string, readonly [number, number, Body, Body]>>;

type Methods<T extends Table> = { readonly [K in keyof T]: DrpcMethod<T[K][2], T[K][3]> };

function table<const T extends Table>(rows: T): Methods<T> {
  return Object.fromEntries(
    Object.entries(rows).map(([name, [module, method, request, response]]) => [
      name,
      { module, method, name, request, response },
    ]),
  ) as Methods<T>;
}

const { securityAgent, mgmt: engine, srv: server, security } = drpcModules;

/**
 * Every dRPC method: module, number, request, response.
 *
 * @see DAOS 0.8.0 src/include/daos/drpc_modules.h
 */
export const drpcMethods = table({
  requestCredentials: [securityAgent, 101, undefined, auth.CredentialSchema],

  killRank: [engine, 201, mgmt.KillRankReqSchema, mgmt.DaosRespSchema],
  setRank: [engine, 202, mgmt.SetRankReqSchema, mgmt.DaosRespSchema],
  createMs: [engine, 203, mgmt.CreateMsReqSchema, mgmt.DaosRespSchema],
  startMs: [engine, 204, undefined, mgmt.DaosRespSchema],
  join: [engine, 205, mgmt.JoinReqSchema, mgmt.JoinRespSchema],
  getAttachInfo: [engine, 206, mgmt.GetAttachInfoReqSchema, mgmt.GetAttachInfoRespSchema],
  poolCreate: [engine, 207, mgmt.PoolCreateReqSchema, mgmt.PoolCreateRespSchema],
  poolDestroy: [engine, 208, mgmt.PoolDestroyReqSchema, mgmt.PoolDestroyRespSchema],
  setUp: [engine, 209, undefined, mgmt.DaosRespSchema],
  bioHealthQuery: [engine, 210, mgmt.BioHealthReqSchema, mgmt.BioHealthRespSchema],
  smdListDevs: [engine, 211, mgmt.SmdDevReqSchema, mgmt.SmdDevRespSchema],
  smdListPools: [engine, 212, mgmt.SmdPoolReqSchema, mgmt.SmdPoolRespSchema],
  poolGetAcl: [engine, 213, mgmt.GetACLReqSchema, mgmt.ACLRespSchema],
  listPools: [engine, 214, mgmt.ListPoolsReqSchema, mgmt.ListPoolsRespSchema],
  poolOverwriteAcl: [engine, 215, mgmt.ModifyACLReqSchema, mgmt.ACLRespSchema],
  poolUpdateAcl: [engine, 216, mgmt.ModifyACLReqSchema, mgmt.ACLRespSchema],
  poolDeleteAcl: [engine, 217, mgmt.DeleteACLReqSchema, mgmt.ACLRespSchema],
  prepShutdown: [engine, 218, mgmt.PrepShutdownReqSchema, mgmt.DaosRespSchema],

  notifyReady: [server, 301, srv.NotifyReadyReqSchema, undefined],
  bioError: [server, 302, srv.BioErrorReqSchema, undefined],

  validateCredentials: [security, 401, auth.CredentialSchema, auth.TokenSchema],
});
