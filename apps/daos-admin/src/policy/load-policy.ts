import { constants } from "node:fs";
import { dirname, join } from "node:path";
import { faultPolicyInvalid } from "../faults.ts";
import { openTrusted, type TrustOptions } from "../trusted-path.ts";
import { readAccounts } from "./accounts.ts";
import { derivePolicy } from "./derive-policy.ts";
import { parsePolicy } from "./parse-policy.ts";
import { emptyPolicy, type Policy } from "./policy.ts";

const MAX_BYTES = 1024 * 1024;

/**
 * The policy in `path`. Without that file, the policy is derived from `daos_server.yml` beside it. Without both, the
 * policy allows nothing. Either file is used only when only root can have written it.
 *
 * @throws Fault helperUntrustedPath, helperPolicyInvalid
 */
export async function loadPolicy(path: string, options: TrustOptions = {}): Promise<Policy> {
  const own = await readTrusted(path, options);
  if (own !== undefined) return parsePolicy(own, path, await readAccounts());
  const configuration = join(dirname(path), "daos_server.yml");
  const text = await readTrusted(configuration, options);
  if (text !== undefined) return derivePolicy(text, configuration, await readAccounts());
  return emptyPolicy(path);
}

async function readTrusted(path: string, options: TrustOptions): Promise<string | undefined> {
  const file = await openTrusted(path, constants.O_RDONLY, options);
  if (file === undefined) return undefined;
  try {
    if ((await file.stat()).size > MAX_BYTES)
      throw faultPolicyInvalid(path, `it has more than ${MAX_BYTES} bytes`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
