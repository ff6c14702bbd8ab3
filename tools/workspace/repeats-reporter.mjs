// Names the tests that passed only when they were repeated, because such a run differs from one without failures.
import { relative } from "node:path";

const MAX_LINES = 60;

/** @import { Reporter, TestModule } from "vitest/node" */

/** @implements {Reporter} */
export default class RepeatsReporter {
  /** @param {readonly TestModule[]} modules */
  onTestRunEnd(modules) {
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        if (!test.diagnostic()?.flaky) continue;
        const [error] = test.result().errors ?? [];
        const [reason = "no reason known", ...more] = error?.message.split("\n") ?? [];
        process.stdout.write(
          `REPEATED ${relative(process.cwd(), module.moduleId)} > ${test.fullName}: ${reason}\n`,
        );
        // The last lines of a program's output contain the reason.
        for (const line of more.slice(-MAX_LINES)) process.stdout.write(`  ${line}\n`);
      }
    }
  }
}
