export type { CallOptions, EtcdCalls } from "./etcd-calls.ts";
export { EtcdClient, type EtcdClientOptions } from "./etcd-client.ts";
export { type CallOutcome, EtcdError, etcdAdvice } from "./etcd-error.ts";
export { bytes, prefixEnd, text } from "./keys.ts";
export type { TlsFiles } from "./tls-files.ts";
