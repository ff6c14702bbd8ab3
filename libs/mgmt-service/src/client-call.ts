import { drpcMethods } from "@daos/drpc";
import { mgmt } from "@daos/proto";

const { method: rpcs, typeName } = mgmt.MgmtSvc;

/** The methods of the engine that answer a call of a client, each with the name of that call. `join` is the servers' own. */
const CLIENT_CALLS: Readonly<Record<number, string>> = {
  [drpcMethods.poolCreate.method]: rpcs.poolCreate.name,
  [drpcMethods.poolDestroy.method]: rpcs.poolDestroy.name,
  [drpcMethods.listPools.method]: rpcs.listPools.name,
  [drpcMethods.poolGetAcl.method]: rpcs.poolGetACL.name,
  [drpcMethods.poolOverwriteAcl.method]: rpcs.poolOverwriteACL.name,
  [drpcMethods.poolUpdateAcl.method]: rpcs.poolUpdateACL.name,
  [drpcMethods.poolDeleteAcl.method]: rpcs.poolDeleteACL.name,
  [drpcMethods.getAttachInfo.method]: rpcs.getAttachInfo.name,
  [drpcMethods.bioHealthQuery.method]: rpcs.bioHealthQuery.name,
  [drpcMethods.smdListDevs.method]: rpcs.smdListDevs.name,
  [drpcMethods.smdListPools.method]: rpcs.smdListPools.name,
};

/**
 * The call of a client that a method of the engine answers, such as `/mgmt.MgmtSvc/PoolDestroy`. A method that answers
 * no client call gets a name that is in no table of roles, so no client may call it.
 */
export function clientCall(method: number): string {
  return `/${typeName}/${CLIENT_CALLS[method] ?? `method ${method} of the engine`}`;
}
