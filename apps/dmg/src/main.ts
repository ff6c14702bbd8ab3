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

// dmg starts from a snapshot of its loaded state, if there is one: see tools/bundle.mjs. The snapshot holds the modules
// that commands load lazily. It cannot hold Node's own modules, which are loaded at their first use. The snapshot has
// no certificate code: that loads node:crypto at once, and TLS fails with a node:crypto from a snapshot.
if (startupSnapshot.isBuildingSnapshot()) {
  void import("@daos/config");
  void import("@daos/control-client");
  startupSnapshot.setDeserializeMainFunction(main);
} else {
  main();
}
