export { grpcTransport } from "./grpc-transport.ts";
export { type ClientTls, Http2Session } from "./http2-session.ts";
