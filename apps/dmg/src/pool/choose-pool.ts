import { faultUsage } from "@daos/cli";
import type { Connection } from "../connect.ts";
import type { CommandContext } from "../define-command.ts";

/** A pool, and the connection by which it was found. */
export interface ChosenPool extends Connection {
  readonly uuid: string;
}

/**
 * The pool in `--pool`: its label, its uuid, or the beginning of it.
 *
 * @throws Fault usage, poolUnknown, poolAmbiguous
 */
export async function choosePool(
  text: string,
  { connect, waitFor }: Pick<CommandContext<Record<never, never>>, "connect" | "waitFor">,
): Promise<ChosenPool> {
  if (text.trim() === "") throw faultUsage("--pool is empty", "list the pools with: dmg pool list");
  const connection = await connect();
  const { resolvePool } = await import("@daos/control-client");
  const uuid = await waitFor(resolvePool(connection.client, text, { system: connection.system }));
  return { ...connection, uuid };
}
