export { EtcdCluster, type EtcdMember } from "./etcd-cluster.ts";

export { SeverableProxy } from "./severable-proxy.ts";
