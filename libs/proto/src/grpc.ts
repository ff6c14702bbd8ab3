export * from "./gen/grpc/health_pb.ts";
