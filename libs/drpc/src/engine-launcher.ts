import { fileURLToPath } from "node:url";

/**
 * The program that starts an engine. `launch-engine PARENT PROGRAM [ARGUMENT]...` executes PROGRAM, which is killed
 * when the process PARENT ends. It is built with the addon. The path is valid from `src/` and from `dist/`.
 */
export const ENGINE_LAUNCHER = fileURLToPath(new URL("../build/launch-engine", import.meta.url));
