export * from "./gen/ctl/common_pb.ts";
export * from "./gen/ctl/control_pb.ts";
export * from "./gen/ctl/fault_pb.ts";
export * from "./gen/ctl/network_scan_pb.ts";
export * from "./gen/ctl/storage_nvme_pb.ts";
export * from "./gen/ctl/storage_pb.ts";
export * from "./gen/ctl/storage_scm_pb.ts";
export * from "./gen/ctl/system_pb.ts";
