import { Code } from "@connectrpc/connect";
import { toConnectError } from "./to-connect-error.ts";

/** The name of the gRPC code, `NOT_FOUND`, that a client gets when a handler throws this error. */
export function grpcCodeName(error: unknown): string {
  const { code } = toConnectError(error);
  if (code === Code.Canceled) return "CANCELLED";
  return (Code[code] ?? "Unknown").replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
