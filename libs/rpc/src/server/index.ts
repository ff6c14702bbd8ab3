export { answerOnce } from "./answer-once.ts";
export { grpcHandlers } from "./grpc-handlers.ts";
export { onlyProtocols } from "./only-protocols.ts";
