export { EtcdCluster, type EtcdClusterOptions, type EtcdMember } from "./etcd-cluster.ts";
