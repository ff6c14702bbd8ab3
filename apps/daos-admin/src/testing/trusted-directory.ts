import { mkdtemp, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { requireTrustedParents } from "../trusted-path.ts";

/**
 * A directory for test files whose parents belong to root or this user and are closed to other users; undefined when
 * there is none. The usual temporary directory is open to all users.
 */
export async function trustedDirectory(): Promise<string | undefined> {
  const uid = process.getuid?.() ?? 0;
  const candidates = uid === 0 ? ["/var/lib", "/srv", "/opt"] : [homedir(), process.cwd()];
  for (const parent of candidates) {
    try {
      const probe = await mkdtemp(join(parent, ".daos-trust-"));
      await rm(probe, { recursive: true });
      await requireTrustedParents(probe, { uid });
      return parent;
    } catch {
      // Tries the next directory.
    }
  }
  return undefined;
}
