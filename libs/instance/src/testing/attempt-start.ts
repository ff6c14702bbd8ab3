import { silentLogger } from "@daos/log";
import { EngineProcess } from "../engine-process.ts";

/** For runWithoutDescriptors(). */
export async function attempt(): Promise<unknown> {
  const engine = await EngineProcess.start({
    index: 0,
    executable: "/bin/true",
    args: [],
    env: {},
    log: silentLogger,
  });
  return engine.exited;
}
