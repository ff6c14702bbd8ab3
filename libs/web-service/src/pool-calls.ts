import type { ServiceImpl } from "@connectrpc/connect";
import { checkAclEntry } from "@daos/acl";
import { poolDestroy, poolGetAcl, poolOverwriteAcl } from "@daos/control-client";
import type { web } from "@daos/proto";
import { faultReadOnly, faultRequestInvalid } from "./faults.ts";
import type { PageServiceOptions } from "./page-service-options.ts";

type PoolCalls = Pick<ServiceImpl<typeof web.Page>, "getAcl" | "overwriteAcl" | "createPool" | "destroyPool">;

/** Maximum number of entries of an access control list. */
const MAX_ENTRIES = 1_000;

/** Handles the page's calls about pools. @param until ends a call with its window, or with dmg */
export function poolCalls(
  { connect, live, readOnly, createPool }: PageServiceOptions,
  until: (signal: AbortSignal) => AbortSignal,
): PoolCalls {
  return {
    async getAcl({ pool }, { signal }) {
      const { client } = await connect(until(signal));
      return { entries: [...(await poolGetAcl(client, uuidOf(pool)))] };
    },
    async overwriteAcl({ pool, entries }, { signal }) {
      if (readOnly) throw faultReadOnly(`change the access control list of pool ${uuidOf(pool)}`);
      if (entries.length === 0) throw faultRequestInvalid("the access control list has no entry");
      checkEntries(entries);
      const { client } = await connect(until(signal));
      return { entries: [...(await poolOverwriteAcl(client, uuidOf(pool), entries))] };
    },
    async createPool(request, { signal }) {
      if (readOnly) throw faultReadOnly("create a pool");
      checkEntries(request.acl);
      const { client, system } = await connect(until(signal));
      const { uuid, svcReplicas, notes } = await createPool(client, system, request);
      live.refresh();
      return { uuid, svcReplicas: [...svcReplicas], notes: [...notes] };
    },
    async destroyPool({ pool, force }, { signal }) {
      if (readOnly) throw faultReadOnly(`destroy pool ${uuidOf(pool)}`);
      const { client, system } = await connect(until(signal));
      await poolDestroy(client, { uuid: uuidOf(pool), force, system });
      live.refresh();
      return {};
    },
  };
}

/** @throws Fault aclInvalid, webRequestInvalid */
function checkEntries(entries: readonly string[]): void {
  if (entries.length > MAX_ENTRIES)
    throw faultRequestInvalid(`an access control list has more than ${MAX_ENTRIES} entries`);
  for (const entry of entries) checkAclEntry(entry);
}

/** @throws Fault webRequestInvalid */
function uuidOf(text: string): string {
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text;
  throw faultRequestInvalid(`${JSON.stringify(text.slice(0, 60))} is not the uuid of a pool`);
}
