import { ProcessCommandRunner } from "../run-command.ts";

/** For runWithoutDescriptors(). */
export async function attempt(): Promise<string> {
  return (await new ProcessCommandRunner().run(["echo", "run"])).stdout;
}
