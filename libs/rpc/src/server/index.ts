export { grpcHandlers } from "./grpc-handlers.ts";
