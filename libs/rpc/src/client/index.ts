export { unaryTransport } from "./unary-transport.ts";
