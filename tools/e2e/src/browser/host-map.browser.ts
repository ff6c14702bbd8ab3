/// <reference lib="dom" />
import { ctl } from "@daos/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BigSystem } from "./big-system.ts";
import { expectAccessible, expectClean } from "./page-checks.ts";
import { DmgWeb, go, openPage, TestBrowser } from "./web-page.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await TestBrowser.start();
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
});

describe("dmg web with 1,024 hosts and 2,048 members", () => {
  let system: BigSystem;
  let web: DmgWeb;
  beforeAll(async () => {
    system = await BigSystem.start(2_048);
    web = await DmgWeb.start(system.address);
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
  });

  it("the map has a cell for each host, grouped by rack, and no violation of WCAG", async () => {
    await using window = await openPage(browser, web, { scheme: "dark" });
    await go(window, "/hosts");
    await window.page.locator(".cell").nth(1_023).waitFor();
    expect(await window.page.locator(".domain").count()).toBe(32);
    await expectAccessible(window);
    expectClean(window);
  });

  it("the map changes one cell when one member changes", async () => {
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

  it("the map finds hosts by host set, rank and state", async () => {
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

  it("the map can be used with the keyboard: Tab selects a rack, arrows a host, Enter opens the host", async () => {
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
