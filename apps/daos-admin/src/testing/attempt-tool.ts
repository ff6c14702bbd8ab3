import { ToolRunner } from "../tool-runner.ts";

/** For runWithoutDescriptors(). */
export async function attempt(): Promise<number | null> {
  return (await new ToolRunner().run(["mount", "--version"])).exitCode;
}
