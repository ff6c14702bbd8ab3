import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { LATER_COMMANDS } from "./later-commands.ts";
import { runDmg } from "./testing/run-dmg.ts";

describe("LATER_COMMANDS", () => {
  it.each(Object.entries(LATER_COMMANDS))(
    "dmg %s fails with the reason and an alternative",
    async (command, { reason, resolution }) => {
      const words = [...command.split(" "), "scratch", "--ranks", "3"];
      const { status, err, out } = await runDmg(words);
      expect({ status, out }).toEqual({ status: 8, out: "" });
      expect(err).toContain(
        `"dmg ${command}" cannot be done: ${reason} (client ${FaultCode.commandUnsupported})`,
      );
      expect(err).toContain(resolution);
    },
  );

  it("dmg --json prints the failure as JSON, also for commands of several words", async () => {
    const { json, status } = await runDmg(["--json", "storage", "led", "identify"]);
    expect(status).toBe(8);
    expect(json()).toMatchObject({ errors: [{ code: FaultCode.commandUnsupported }] });
  });

  it("dmg still suggests a command for a word that is misspelt", async () => {
    const { status, err } = await runDmg(["pool", "extendd"]);
    expect(status).toBe(2);
    expect(err).toContain("there is no command");
  });
});
