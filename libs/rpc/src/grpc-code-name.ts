import { Code } from "@connectrpc/connect";
import { toConnectError } from "./to-connect-error.ts";

/** The name that gRPC gives to how a call failed, `NOT_FOUND`: what the client of a server whose handler throws this gets. */
export function grpcCodeName(error: unknown): string {
  const { code } = toConnectError(error);
  if (code === Code.Canceled) return "CANCELLED";
  return (Code[code] ?? "Unknown").replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
