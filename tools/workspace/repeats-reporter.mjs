// Names the tests that passed only when they were repeated: such a run is not like one in which nothing failed.
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
        // The last lines of what a program printed say why.
        for (const line of more.slice(-MAX_LINES)) process.stdout.write(`  ${line}\n`);
      }
    }
  }
}
