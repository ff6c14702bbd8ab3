export * as ctl from "./ctl.ts";
export * as etcd from "./etcd.ts";
export * as drpc from "./gen/drpc_pb.ts";
export * as auth from "./gen/security/auth_pb.ts";
export * as srv from "./gen/srv/srv_pb.ts";
export * as web from "./gen/web/web_pb.ts";
export * as grpc from "./grpc.ts";
export * as mgmt from "./mgmt.ts";
