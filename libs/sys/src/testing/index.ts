export { FakeCommandRunner, type FakeReply } from "./fake-command-runner.ts";
export { FakeMountTable } from "./fake-mount-table.ts";
export { FakeSysTree } from "./fake-sys-tree.ts";
export { type Attempt, type Attempts, runWithoutDescriptors } from "./without-descriptors.ts";
