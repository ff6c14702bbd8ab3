/// <reference lib="dom" />
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { delay } from "@daos/sys";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { Program } from "../program.ts";
import { DMG, EVENTUAL_TIMEOUT_MS } from "../test-system.ts";

/** The options of Debian's Chromium. They disable requests to other hosts. */
const CHROMIUM = "/usr/bin/chromium";
const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-extensions",
  "--renderer-process-limit=1",
];

export interface WindowOptions {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: "light" | "dark";
}

/** A real browser. Dispose of it. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #directory: string;

  private constructor(browser: Browser, directory: string) {
    this.#browser = browser;
    this.#directory = directory;
  }

  static async start(): Promise<TestBrowser> {
    if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing: npm run test:web installs it`);
    const directory = await mkdtemp(join(tmpdir(), "daos-chromium-"));
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: CHROMIUM_FLAGS,
      env: { ...process.env, HOME: directory },
    });
    return new TestBrowser(browser, directory);
  }

  /** A window with its own cookies and storage. A request to another host than the loopback fails the test. */
  async window({ width = 1280, height = 860, scheme = "light" }: WindowOptions = {}): Promise<TestWindow> {
    const context = await this.#browser.newContext({ viewport: { width, height }, colorScheme: scheme });
    // The general time limit on a busy machine.
    context.setDefaultTimeout(EVENTUAL_TIMEOUT_MS);
    const page = await context.newPage();
    return new TestWindow(context, page);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** A window with its errors. */
export class TestWindow implements AsyncDisposable {
  readonly page: Page;
  /** Script errors, and violations of the content security policy. */
  readonly errors: string[] = [];
  /** The hosts of all requests. */
  readonly hosts = new Set<string>();
  readonly #context: BrowserContext;

  constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(error.message));
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) this.errors.push(message.text());
    });
    page.on("request", (request) => this.hosts.add(new URL(request.url()).hostname));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}

/** A running `dmg web`. Dispose of it. */
export class DmgWeb implements AsyncDisposable {
  readonly program: Program;

  private constructor(program: Program) {
    this.program = program;
  }

  static async start(hosts: string, ...args: readonly string[]): Promise<DmgWeb> {
    const web = new DmgWeb(new Program([DMG, "-i", "-l", hosts, "web", ...args]));
    await web.link();
    return web;
  }

  /** The latest link. @param ms how long to wait for the first one */
  async link(ms = EVENTUAL_TIMEOUT_MS): Promise<string> {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      const link = this.program.output.match(/http:\S+/g)?.at(-1);
      if (link !== undefined) return link;
      if (!this.program.running) break;
      await delay(50);
    }
    throw new Error(`dmg web printed no link: ${this.program.output}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.program.child.kill("SIGINT");
    await this.program.end();
  }
}

/** A window that was let in by a link, with a live page. */
export async function openPage(
  browser: TestBrowser,
  web: DmgWeb,
  options?: WindowOptions,
): Promise<TestWindow> {
  const window = await browser.window(options);
  await window.page.goto(await web.link());
  await isLive(window);
  return window;
}

/** Waits until the page shows the current state. */
export async function isLive({ page }: TestWindow): Promise<void> {
  await page.getByRole("status").getByText("Live").waitFor();
}

/** Goes to another page by its address. */
export async function go({ page }: TestWindow, hash: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
}
