import type { CallOptions } from "@connectrpc/connect";
import type { mgmt } from "@daos/proto";
import type { ControlClient } from "./control-client.ts";
import type { HostConnection } from "./host-connection.ts";
import { checkStatus } from "./status.ts";

/** The entries of an access control list in the short form, such as `A::OWNER@:rw`. */
export type Acl = readonly string[];

/** Reads the access control list of a pool. @throws Fault */
export function poolGetAcl(client: ControlClient, pool: string): Promise<Acl> {
  return aclRequest(
    client,
    `get the ACL of pool ${pool}`,
    ({ mgmt }, options) => mgmt.poolGetACL({ uuid: pool }, options),
    true,
  );
}

/** Replaces the access control list of a pool. @returns the new one @throws Fault */
export function poolOverwriteAcl(client: ControlClient, pool: string, acl: Acl): Promise<Acl> {
  return aclRequest(client, `overwrite the ACL of pool ${pool}`, ({ mgmt }, options) =>
    mgmt.poolOverwriteACL({ uuid: pool, ACL: [...acl] }, options),
  );
}

/** Adds entries, or replaces those of the same principals. @returns the new list @throws Fault */
export function poolUpdateAcl(client: ControlClient, pool: string, entries: Acl): Promise<Acl> {
  return aclRequest(client, `update the ACL of pool ${pool}`, ({ mgmt }, options) =>
    mgmt.poolUpdateACL({ uuid: pool, ACL: [...entries] }, options),
  );
}

/**
 * Removes the entry of one principal.
 *
 * @param principal `u:ana@`, `g:physics@`, `OWNER@`, `GROUP@` or `EVERYONE@`
 * @returns the new list
 * @throws Fault
 */
export function poolDeleteAcl(client: ControlClient, pool: string, principal: string): Promise<Acl> {
  return aclRequest(client, `delete ${principal} from the ACL of pool ${pool}`, ({ mgmt }, options) =>
    mgmt.poolDeleteACL({ uuid: pool, principal }, options),
  );
}

function aclRequest(
  client: ControlClient,
  attempted: string,
  call: (connection: HostConnection, options: CallOptions) => Promise<mgmt.ACLResp>,
  repeatable = false,
): Promise<Acl> {
  return client.leader({
    attempted,
    timeoutMs: 60_000,
    repeatable,
    call: async (connection, options) => {
      const { status, ACL } = await call(connection, options);
      checkStatus(attempted, status);
      return ACL;
    },
  });
}
