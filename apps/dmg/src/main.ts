import { resolve } from "node:path";
import { startupSnapshot } from "node:v8";
import { processTerminal } from "@daos/cli";
import { dmg } from "./dmg.ts";

function main(): void {
  // bin/dmg names the bundle, <root>/dist/bundle/main.cjs, also when a snapshot of it runs.
  const root = resolve(process.argv[1] ?? "", "../../..");
  void dmg(process.argv.slice(2), processTerminal("dmg"), root).then((status) => {
    process.exitCode = status;
  });
}

// dmg starts from a snapshot of its loaded state where there is one: tools/bundle.mjs. What commands load when they
// need it is part of the snapshot; Node's own modules, which cannot be, are loaded at their first use. What is made for
// certificates is not part of it: it loads node:crypto at once, and TLS does not work with one from a snapshot.
if (startupSnapshot.isBuildingSnapshot()) {
  void import("@daos/config");
  void import("@daos/control-client");
  startupSnapshot.setDeserializeMainFunction(main);
} else {
  main();
}
