import { resolve } from "node:path";
import { startupSnapshot } from "node:v8";
import { processTerminal } from "@daos/cli";
import { dmg } from "./dmg.ts";

function main(): void {
  // bin/dmg names the bundle, <root>/dist/bundle/main.cjs, also when it runs a snapshot of the bundle.
  const root = resolve(process.argv[1] ?? "", "../../..");
  void dmg(process.argv.slice(2), processTerminal("dmg"), root).then((status) => {
    process.exitCode = status;
  });
}

// dmg starts from a snapshot of its loaded state, if there is one: see tools/bundle.mjs. Not isBuildingSnapshot(), because
// node:v8 takes 2 ms to load.
if (process.execArgv.includes("--build-snapshot")) {
  startupSnapshot.setDeserializeMainFunction(main);
  void import("./warm-up.ts").then(async ({ collectGarbage, WARM_UP, warmUp }) => {
    await warmUp(JSON.parse(process.env[WARM_UP] ?? ""));
    await collectGarbage();
  });
} else {
  main();
}
