// npm run test:web: tests the page of dmg web in a real browser, Debian's Chromium.
import { runSuite } from "./run-suite.mjs";

runSuite("vitest.browser.config.mjs", { "/usr/bin/chromium": "chromium" });
