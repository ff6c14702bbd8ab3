import { expect, it } from "vitest";
import { memberCommand } from "./command-line.ts";

it("memberCommand() is what an administrator would type", () => {
  expect(memberCommand("dmg -i", "stop", [3, 0, 1, 2], false)).toBe("dmg -i system stop --ranks 0-3");
  expect(memberCommand("dmg", "exclude", [7], true)).toBe("dmg system exclude --ranks 7 --force");
});
