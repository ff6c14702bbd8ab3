/// <reference lib="dom" />
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { TestWindow } from "./web-page.ts";

/** The rules of WCAG up to 2.2 AA, and axe's best practices. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** Requires that axe finds no violation on the current page. */
export async function expectAccessible({ page }: TestWindow): Promise<void> {
  // The page's content security policy forbids other scripts, so axe is evaluated through the debugger.
  await page.evaluate(await readFile(fileURLToPath(import.meta.resolve("axe-core")), "utf8"));
  const { violations } = (await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(RULES)} })`,
  )) as AxeResults;
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
  );
  expect(found).toEqual([]);
}

/** Requires that no element is wider than the window. */
export async function expectNoSidewaysScroll({ page }: TestWindow): Promise<void> {
  const [content, window] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  expect(content).toBeLessThanOrEqual(window ?? 0);
}

/** Requires that the page had no script error, violated no policy, and sent requests to the loopback only. */
export function expectClean({ errors, hosts }: TestWindow): void {
  expect(errors).toEqual([]);
  expect([...hosts]).toEqual(["127.0.0.1"]);
}
