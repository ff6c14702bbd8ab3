import { expect, it } from "vitest";
import { command, forHosts, memberCommand } from "./command-line.ts";

it("memberCommand() returns the command that an administrator would type", () => {
  expect(memberCommand("dmg -i", "stop", [3, 0, 1, 2], false)).toBe("dmg -i system stop --ranks 0-3");
  expect(memberCommand("dmg", "exclude", [7], true)).toBe("dmg system exclude --ranks 7 --force");
});

it("command() omits empty flags, and quotes words for a shell", () => {
  expect(
    command("dmg -i", "storage prepare", { "-n": true, "-w": "0000:81:00.0 0000:da:00.0", "-u": "" }),
  ).toBe("dmg -i storage prepare -n -w '0000:81:00.0 0000:da:00.0'");
  expect(command("dmg", "x", { "-a": "it's" })).toBe("dmg x -a 'it'\\''s'");
});

it("forHosts() replaces the hosts in dmg's command line", () => {
  expect(forHosts("dmg -i -l 'node[1-8]'", "node[1-8]:10001", "node[1-8]:10001")).toBe(
    "dmg -i -l 'node[1-8]'",
  );
  expect(forHosts("dmg -i -l 'node[1-8]'", "node[1-8]:10001", "node3")).toBe("dmg -i -l node3");
  expect(forHosts("dmg", "node[1-8]:10001", "node[3-4]")).toBe("dmg -l 'node[3-4]'");
});
