// Builds ../build/datagram.node.
import { join } from "node:path";
import { compileAddon } from "../../../tools/workspace/compile-native.mjs";

compileAddon(
  join(import.meta.dirname, "datagram.c"),
  join(import.meta.dirname, "..", "build", "datagram.node"),
);
