export { type ClientTls, Http2Session, type Http2SessionOptions } from "./http2-session.ts";
