// Builds ../build/seqpacket.node and ../build/launch-engine.
import { join } from "node:path";
import { compileAddon, compileProgram } from "../../../tools/workspace/compile-native.mjs";

const here = import.meta.dirname;
const build = join(here, "..", "build");

compileAddon(join(here, "seqpacket.c"), join(build, "seqpacket.node"));
compileProgram(join(here, "launch-engine.c"), join(build, "launch-engine"));
