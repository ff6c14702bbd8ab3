import { fileURLToPath } from "node:url";

/**
 * The program that starts an engine: `launch-engine PARENT PROGRAM [ARGUMENT]...` becomes PROGRAM, which is killed when the
 * process PARENT ends. It is built with the addon. The path holds for `src/` and `dist/` alike.
 */
export const ENGINE_LAUNCHER = fileURLToPath(new URL("../build/launch-engine", import.meta.url));
