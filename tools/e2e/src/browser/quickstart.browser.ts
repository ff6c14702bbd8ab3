import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Program } from "../program.ts";
import { TestSystem } from "../test-system.ts";
import { expectClean } from "./page-checks.ts";
import { DmgWeb, openPage, TestBrowser } from "./web-page.ts";

it("after npm start, npx dmg -i web shows the quickstart system", async () => {
  // For a port, directories, and the removal of what is mounted.
  await using system = await TestSystem.create();
  const directory = join(system.directory, "quickstart");
  await mkdir(directory);
  const env = { DAOS_QUICKSTART_DIR: directory, DAOS_QUICKSTART_SCM: system.scmMount() };
  // A terminal, as in npm-start.test.ts: its Ctrl-C reaches all processes.
  const command = `exec npm start --silent -- --port ${system.port}`;
  const start = new Program(["script", "-qec", command, "/dev/null"], { env, input: true });
  try {
    await start.printed(/DAOS is ready\./, 300_000);
    await using web = await DmgWeb.startAs(["npx", "dmg"], `localhost:${system.port}`);
    await using browser = await TestBrowser.start();
    await using window = await openPage(browser, web);
    await window.page.getByText("Every member has joined. Nothing needs attention.").waitFor();
    await window.page.getByText("1.0 GiB").first().waitFor();
    expectClean(window);
  } finally {
    start.child.stdin?.write("\x03");
    expect((await start.end()).stdout).toContain("stopped");
  }
}, 600_000);
