/// <reference lib="dom" />
import { request as httpRequest } from "node:http";
import { ctl } from "@daos/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVENTUAL_TIMEOUT_MS, TestSystem } from "../test-system.ts";
import { BigSystem } from "./big-system.ts";
import { expectAccessible, expectClean, expectNoSidewaysScroll } from "./page-checks.ts";
import { DmgWeb, TestBrowser, type TestWindow, type WindowOptions } from "./web-page.ts";

/** A window that a link has let in, and whose page is live. */
async function openPage(browser: TestBrowser, web: DmgWeb, options?: WindowOptions): Promise<TestWindow> {
  const window = await browser.window(options);
  await window.page.goto(await web.link());
  await window.page.getByRole("status").getByText("Live").waitFor();
  return window;
}

const go = (window: TestWindow, hash: string) =>
  window.page.evaluate((to) => {
    location.hash = to;
  }, hash);

let browser: TestBrowser;
beforeAll(async () => {
  browser = await TestBrowser.start();
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
});

describe("dmg web on a real system", () => {
  let system: TestSystem;
  let web: DmgWeb;
  beforeAll(async () => {
    system = await TestSystem.create({ engines: 2 });
    await system.start();
    web = await DmgWeb.start(`localhost:${system.port}`);
  });
  afterAll(async () => {
    await web[Symbol.asyncDispose]();
    await system[Symbol.asyncDispose]();
  });

  const PAGES = ["overview", "hosts", "host", "events"] as const;
  const address = () => `127.0.0.1:${system.port}`;
  const hashOf = (page: string) => (page === "host" ? `/host/${encodeURIComponent(address())}` : `/${page}`);

  it.each(PAGES)("the page %s has no violation of WCAG, in light, dark and 390 px", async (name) => {
    await using window = await openPage(browser, web);
    const { page } = window;
    await go(window, hashOf(name));
    await page.getByRole("heading", { level: 1 }).waitFor();
    if (name === "host") await page.getByText("Fabric interfaces").waitFor();
    await expectAccessible(window);
    await page.emulateMedia({ colorScheme: "dark" });
    await expectAccessible(window);
    await page.setViewportSize({ width: 390, height: 844 });
    await expectAccessible(window);
    await expectNoSidewaysScroll(window);
    expectClean(window);
  });

  it("the host page shows what dmg shows of members and storage", async () => {
    await using window = await openPage(browser, web);
    await go(window, hashOf("host"));
    const { members } = await system.dmgJson("system", "query");
    for (const { uuid } of members) await window.page.getByText(uuid).waitFor();
    await window.page.getByText("SCM 1.0 GiB").first().waitFor();
  });

  it("an action names what it hits and the dmg command, does it, and the page shows it live", async () => {
    await using window = await openPage(browser, web);
    const { page } = window;
    await go(window, "/hosts");
    await page.getByRole("button", { name: "Stop …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Stop: 2 ranks").waitFor();
    await dialog
      .getByText(`dmg -i -l localhost:${system.port} system stop --ranks 0-1`, { exact: true })
      .waitFor();
    await expectAccessible(window);
    const submit = dialog.getByRole("button", { name: "Stop 2 ranks" });
    expect(await submit.isDisabled()).toBe(true);
    await dialog.getByRole("textbox").fill("daos_server");
    await submit.click();
    await dialog.getByText("Stopped").waitFor({ timeout: EVENTUAL_TIMEOUT_MS });
    await dialog.getByRole("button", { name: "Close" }).click();
    expect((await system.dmgJson("system", "query")).members.map(({ state }) => state)).toEqual([
      "stopped",
      "stopped",
    ]);
    await page.locator(".cell[data-state=stopped]").waitFor();
    await page.getByRole("button", { name: "Start …" }).click();
    await dialog.getByRole("button", { name: "Start 2 ranks" }).click();
    await page.locator(".cell[data-state=joined]").waitFor({ timeout: EVENTUAL_TIMEOUT_MS });
  });

  it("the death of an engine is on the page without a reload", async () => {
    await using window = await openPage(browser, web);
    await go(window, "/events");
    process.kill(system.enginePid(1), "SIGKILL");
    await window.page.getByText("engine_died").first().waitFor({ timeout: EVENTUAL_TIMEOUT_MS });
    await go(window, "/hosts");
    await window.page.locator(".cell[data-state=joined]").waitFor({ timeout: EVENTUAL_TIMEOUT_MS });
  });

  it("the page says that the leader is lost, with the reason, and goes on when it is back", async () => {
    await using window = await openPage(browser, web);
    await system.stop();
    const notice = window.page.getByRole("alert");
    await notice.getByText("The leader is lost").waitFor({ timeout: EVENTUAL_TIMEOUT_MS });
    await notice.getByText("connection refused").waitFor();
    await expectAccessible(window);
    await system.start([]);
    await notice.waitFor({ state: "detached", timeout: EVENTUAL_TIMEOUT_MS });
    await window.page.getByRole("status").getByText("Live").waitFor();
    expectClean(window);
  });

  it("--read-only shows, and refuses what a page would send all the same", async () => {
    await using shown = await DmgWeb.start(`localhost:${system.port}`, "--read-only");
    await using window = await openPage(browser, shown);
    await go(window, "/hosts");
    await window.page.locator(".cell").waitFor();
    expect(await window.page.getByRole("button", { name: "Stop …" }).count()).toBe(0);
    const answer = await window.page.evaluate(async () => {
      const response = await fetch("/web.Page/Act", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-dmg-web-key": localStorage.getItem("dmg-web-key") ?? "",
        },
        body: JSON.stringify({ action: "MEMBER_ACTION_STOP", ranks: [0] }),
      });
      return response.text();
    });
    expect(answer).toContain("3131");
  });
});

describe("who may use dmg web", () => {
  let system: BigSystem;
  let web: DmgWeb;
  beforeAll(async () => {
    system = await BigSystem.start(4);
    web = await DmgWeb.start(system.address);
  });
  afterAll(async () => {
    await web[Symbol.asyncDispose]();
    await system[Symbol.asyncDispose]();
  });

  it("a link lets one browser in, which a reload does not change", async () => {
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

  it("a page of another origin reaches nothing", async () => {
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

  it("a name that leads to the loopback is refused, as after DNS rebinding", async () => {
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

describe("dmg web with 1,024 hosts and 2,048 members", () => {
  let system: BigSystem;
  let web: DmgWeb;
  beforeAll(async () => {
    system = await BigSystem.start(2_048);
    web = await DmgWeb.start(system.address);
  });
  afterAll(async () => {
    await web[Symbol.asyncDispose]();
    await system[Symbol.asyncDispose]();
  });

  it("the map has a cell for each host, by rack, and no violation of WCAG", async () => {
    await using window = await openPage(browser, web, { scheme: "dark" });
    await go(window, "/hosts");
    await window.page.locator(".cell").nth(1_023).waitFor();
    expect(await window.page.locator(".domain").count()).toBe(32);
    await expectAccessible(window);
    expectClean(window);
  });

  it("a change of one member touches one cell", async () => {
    await using window = await openPage(browser, web);
    const { page } = window;
    await go(window, "/hosts");
    await page.locator(".cell").nth(1_023).waitFor();
    await page.evaluate(() => {
      const touched = new Set<string>();
      new MutationObserver((records) => {
        for (const { target } of records) {
          const element = target instanceof Element ? target : target.parentElement;
          const cell = element?.closest(".cell");
          if (cell instanceof HTMLElement) touched.add(cell.dataset.host ?? "");
          document.body.dataset.touched = [...touched].join(" ");
        }
      }).observe(document.querySelector(".map") as Element, {
        subtree: true,
        childList: true,
        attributes: true,
        characterData: true,
      });
    });
    system.change(900, ctl.MemberState.MEMBER_ERRORED, "the engine ended with signal SIGKILL");
    await page.locator(`.cell[data-host="${system.members[900]?.addr}"][data-state=errored]`).waitFor();
    expect(await page.evaluate(() => document.body.dataset.touched)).toBe(system.members[900]?.addr);
  });

  it("hosts are found by host set, rank and state", async () => {
    await using window = await openPage(browser, web);
    const { page } = window;
    await go(window, "/hosts/errored");
    await page.locator(".cell").nth(1_023).waitFor({ state: "attached" });
    const shown = () => page.locator(".cell:visible").count();
    const errored = system.members.filter(({ state }) => state === ctl.MemberState.MEMBER_ERRORED);
    await expect.poll(shown).toBe(new Set(errored.map(({ addr }) => addr)).size);
    await page.getByRole("button", { name: /^Errored/ }).click();
    await page.getByRole("searchbox").fill("10.20.0.[1-4]");
    await expect.poll(shown).toBe(4);
    await page.getByRole("searchbox").fill("rank:2047");
    await expect.poll(shown).toBe(1);
  });

  it("the map is used with the keyboard: Tab goes to a rack, arrows in it, Enter opens a host", async () => {
    await using window = await openPage(browser, web);
    const { page } = window;
    await go(window, "/hosts");
    await page.locator(".cell").nth(1_023).waitFor();
    await page.getByRole("button", { name: "Clear exclusion …" }).focus();
    await page.keyboard.press("Tab");
    const focused = () => page.evaluate(() => (document.activeElement as HTMLElement).dataset.host);
    expect(await focused()).toBe(system.members[0]?.addr);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    expect(await focused()).toBe(system.members[2 * 9]?.addr);
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("End");
    expect(await focused()).toBe(system.members.at(-1)?.addr);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: system.members.at(-1)?.addr ?? "" }).waitFor();
  });
});
