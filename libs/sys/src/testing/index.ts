export { FakeCommandRunner } from "./fake-command-runner.ts";
export { FakeMountTable } from "./fake-mount-table.ts";
export { FakeSysTree } from "./fake-sys-tree.ts";
export { runWithoutDescriptors } from "./without-descriptors.ts";
