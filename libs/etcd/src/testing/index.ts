export { EtcdCluster, type EtcdClusterOptions, type EtcdMember } from "./etcd-cluster.ts";
export { SeverableProxy } from "./severable-proxy.ts";
