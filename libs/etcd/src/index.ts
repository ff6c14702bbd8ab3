export type { CallOptions, EtcdCalls } from "./etcd-calls.ts";
export { EtcdClient } from "./etcd-client.ts";
export { EtcdError, etcdAdvice, isSpaceExceeded } from "./etcd-error.ts";
export { bytes, prefixEnd, text } from "./keys.ts";
