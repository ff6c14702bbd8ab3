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
  const start = new Program(["npm", "start", "--silent", "--", "--port", `${system.port}`], { env });
  try {
    await start.printed(/DAOS is ready\./, 300_000);
    await using web = await DmgWeb.startAs(["npx", "dmg"], `localhost:${system.port}`);
    await using browser = await TestBrowser.start();
    await using window = await openPage(browser, web);
    await window.page.getByText("Every member has joined. Nothing needs attention.").waitFor();
    await window.page.getByText("1.0 GiB").first().waitFor();
    expectClean(window);
  } finally {
    start.child.kill("SIGINT");
    expect((await start.end()).stdout).toContain("stopped");
  }
}, 600_000);
