export * from "./gen/mgmt/acl_pb.ts";
export * from "./gen/mgmt/mgmt_pb.ts";
export * from "./gen/mgmt/pool_pb.ts";
export * from "./gen/mgmt/srv_pb.ts";
export * from "./gen/mgmt/storage_query_pb.ts";
