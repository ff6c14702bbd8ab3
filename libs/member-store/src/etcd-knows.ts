import { bytes, type EtcdCalls } from "@daos/etcd";
import { etcdKeys } from "./etcd-keys.ts";

/** Whether etcd has the engine among the members of a system. @throws EtcdError */
export async function etcdKnows(
  client: Pick<EtcdCalls, "range">,
  { system, uuid }: { readonly system: string; readonly uuid: string },
  wait: { readonly signal: AbortSignal },
): Promise<boolean> {
  const key = bytes(`${etcdKeys(system).members}${uuid}`);
  const { kvs } = await client.range({ key, keysOnly: true }, wait);
  return kvs.length > 0;
}
