export type { ConnectSystem, SystemConnection } from "./live-system.ts";
export { WebServer, type WebServerOptions } from "./web-server.ts";
