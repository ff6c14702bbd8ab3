/// <reference lib="dom" />
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BigSystem } from "./big-system.ts";
import { expectAccessible } from "./page-checks.ts";
import { DmgWeb, openPage, TestBrowser } from "./web-page.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await TestBrowser.start();
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
});

describe("access to dmg web", () => {
  let system: BigSystem;
  let web: DmgWeb;
  beforeAll(async () => {
    system = await BigSystem.start(4);
    web = await DmgWeb.start(system.address);
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
  });

  it("dmg web lets one browser in per link, and keeps it in after a reload", async () => {
    const link = await web.link();
    await using first = await browser.window();
    await first.page.goto(link);
    await first.page.getByRole("status").getByText("Live").waitFor();
    expect(first.page.url()).not.toContain("token");
    await first.page.reload();
    await first.page.getByRole("status").getByText("Live").waitFor();
    await using second = await browser.window();
    await second.page.goto(link);
    await second.page.getByText("This browser was not let in").waitFor();
    await second.page.getByText("3132").first().waitFor();
    await expectAccessible(second);
  });

  it("dmg web refuses every request of a page of another origin", async () => {
    await using window = await openPage(browser, web);
    const { origin } = new URL(await web.link());
    const other = await window.page.context().newPage();
    await using server = await BigSystem.start(1);
    await other.goto(`data:text/html,<title>other ${server.address}</title>`);
    const outcome = await other.evaluate(
      (to) =>
        fetch(`${to}/web.Page/Act`, { method: "POST", credentials: "include", body: "{}" }).then(
          () => "answered",
          () => "refused",
        ),
      origin,
    );
    expect(outcome).toBe("refused");
  });

  it("dmg web refuses a host name that resolves to the loopback, as after DNS rebinding", async () => {
    const { port } = new URL(await web.link());
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(
        { port, host: "127.0.0.1", headers: { host: `evil.example:${port}` } },
        (answer) => resolve(answer.statusCode),
      );
      request.on("error", reject).end();
    });
    expect(status).toBe(403);
  });
});
