export { type SocketHelper, socketHelper } from "./socket-helper.ts";
