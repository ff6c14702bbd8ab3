// Prints how to update files that a test compares, such as manual pages, when they differ from the tree.
import { basename, relative } from "node:path";

/** @import { Reporter, TestModule } from "vitest/node" */

/** @implements {Reporter} */
export default class SnapshotReporter {
  /** @param {readonly TestModule[]} modules */
  onTestRunEnd(modules) {
    for (const module of modules) {
      const differs = [...module.children.allTests("failed")].some((test) =>
        test.result().errors?.some(({ message }) => /^Snapshot `.*` mismatched/s.test(message)),
      );
      if (!differs) continue;
      const file = relative(process.cwd(), module.moduleId);
      process.stdout.write(
        `If the change is meant: npx nx test ${basename(process.cwd())} -- ${file} -u, then git diff\n`,
      );
    }
  }
}
