import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { faultEngineNotFound } from "./faults.ts";

/** The name of the data plane's program in release 0.8.0. */
const ENGINE_NAME = "daos_io_server";

/**
 * The engine's executable: on `path` (a PATH value), else in `beside`, the directory of the server's own program.
 *
 * @throws Fault engineNotFound that names both ways out
 */
export async function findEngine(path: string | undefined, beside: string): Promise<string> {
  const directories = [...(path ?? "").split(delimiter).filter((part) => part !== ""), beside];
  for (const directory of directories) {
    const candidate = join(directory, ENGINE_NAME);
    if (await isExecutable(candidate)) return candidate;
  }
  throw faultEngineNotFound(["PATH", beside]);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
