// Names the tests that passed only when they were repeated: such a run is not like one in which nothing failed.
import { relative } from "node:path";

/** @import { Reporter, TestModule } from "vitest/node" */

/** @implements {Reporter} */
export default class RepeatsReporter {
  /** @param {readonly TestModule[]} modules */
  onTestRunEnd(modules) {
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        if (!test.diagnostic()?.flaky) continue;
        const [error] = test.result().errors ?? [];
        const reason = error?.message.split("\n", 1)[0] ?? "no reason known";
        process.stdout.write(
          `REPEATED ${relative(process.cwd(), module.moduleId)} > ${test.fullName}: ${reason}\n`,
        );
      }
    }
  }
}
