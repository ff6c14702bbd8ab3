import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const MAIN = fileURLToPath(new URL("../dist/bundle/main.cjs", import.meta.url));

function daosServer(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

describe("main() with an unusable command line", () => {
  it.each([
    [["strat"], 'there is no command "daos-server strat"', 'did you mean "daos-server start"?'],
    [["start", "extra"], "daos-server start takes no arguments: extra", "daos-server start --help"],
    [["start", "--conifg", "x"], "there is no flag --conifg here", "did you mean --config?"],
    [["start", "--port", "x"], "--port Expected an integer", "--help"],
    [["explain", "99999"], 'no failure has the code "99999"', "daos-server explain"],
  ])("main() refuses %j with 2, the problem and a remedy", (args, description, resolution) => {
    const { status, stdout, stderr } = daosServer(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    const [first, second] = stderr.split("\n");
    expect(first).toMatch(/^daos-server: .* \(general 2\)$/);
    expect(first).toContain(description);
    expect(second).toContain(resolution);
  });
});

it("main() prints any other failure in the same form", () => {
  expect(daosServer("-o", "/nowhere.yml", "config", "check")).toEqual({
    status: 1,
    stdout: "",
    stderr: expect.stringMatching(
      /^daos-server: there is no configuration file \/nowhere\.yml \(config 500\)\n {2}name the file .*\n$/,
    ),
  });
});

it("main() ends with 0 when the reader of its output has closed the pipe", () => {
  const command = `"$0" "$1" --help | head -1`;
  const shell = ["-o", "pipefail", "-c", command, process.execPath, MAIN];
  const { status, stderr } = spawnSync("bash", shell, { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

it.each(["start", "short"])("the compiled code in %s.cache fits the flags of bin/daos-server", (name) => {
  const launcher = readFileSync(new URL("../bin/daos-server", import.meta.url), "utf8");
  const flags = /^flags="(.*)"$/m.exec(launcher)?.[1]?.split(" ") ?? [];
  const look = `
    const [, program, cache] = process.argv;
    const { readFileSync } = require("node:fs");
    const source = readFileSync(program, "latin1");
    const script = new (require("node:vm").Script)(source, { cachedData: readFileSync(cache) });
    process.stdout.write(String(script.cachedDataRejected))`;
  const files = ["program.cjs", `${name}.cache`].map((file) => MAIN.replace("main.cjs", file));
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, "-e", look, ...files], {
    encoding: "utf8",
  });
  expect({ stdout, stderr }).toEqual({ stdout: "false", stderr: "" });
});
