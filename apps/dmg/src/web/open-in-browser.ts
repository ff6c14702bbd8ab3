import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorText } from "@daos/fault";

/** A browser that opens a link. Dispose of it when the link is no longer needed. */
export interface OpenedBrowser extends AsyncDisposable {
  /** Why the link was not opened. */
  readonly failure: string | undefined;
}

/**
 * Opens a link in the user's browser. The link has a secret, and every user of the machine can read command lines. The browser
 * therefore gets a file that only this user can read, and that redirects to the link.
 */
export async function openInBrowser(link: string): Promise<OpenedBrowser> {
  const directory = await mkdtemp(join(tmpdir(), "dmg-web-"));
  const file = join(directory, "open.html");
  const page = `<!doctype html><meta charset="utf-8"><title>dmg web</title><meta http-equiv="refresh" content="0; url=${link}">`;
  await writeFile(file, page, { mode: 0o600 });
  const dispose = () => rm(directory, { recursive: true, force: true });
  try {
    const child = spawn("xdg-open", [file], { stdio: "ignore", detached: true });
    await once(child, "spawn");
    child.unref();
    return { failure: undefined, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    return {
      failure: errorText(error),
      [Symbol.asyncDispose]: dispose,
    };
  }
}
