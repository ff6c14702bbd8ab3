export { EtcdCluster, type EtcdClusterOptions, type EtcdMember } from "./etcd-cluster.ts";
export { makeTlsFiles } from "./make-tls-files.ts";
export { SeverableProxy } from "./severable-proxy.ts";
