import { createRequire } from "node:module";
import { resolve } from "node:path";
import { processTerminal } from "@daos/cli";
import { dmg } from "./dmg.ts";
import { isShort } from "./is-short.ts";

// The small bundle of dmg, <root>/dist/bundle/short.cjs. bin/dmg starts it for a command line with a word such as "help" or "version".
// It does not have the modules that commands load when they run: main.cjs beside it runs the command lines that need them.
const [, bundle = "", ...argv] = process.argv;
if (isShort(argv)) {
  void dmg(argv, processTerminal("dmg"), resolve(bundle, "../../..")).then((status) => {
    process.exitCode = status;
  });
} else {
  createRequire(bundle)("./main.cjs");
}
