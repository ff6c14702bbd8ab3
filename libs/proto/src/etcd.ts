export * from "./gen/etcd/kv_pb.ts";
export * from "./gen/etcd/rpc_pb.ts";
