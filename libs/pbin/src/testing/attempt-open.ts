import { openChannel } from "../open-channel.ts";

/** For runWithoutDescriptors(). */
export async function attempt(): Promise<string> {
  const channel = await openChannel({ kind: "program", path: "/bin/true" });
  const how = await channel.ended;
  channel.close();
  return how;
}
