export { FakeCommandRunner } from "./fake-command-runner.ts";
export { FakeMountTable } from "./fake-mount-table.ts";
export { FakeSysTree } from "./fake-sys-tree.ts";
export { Random } from "./random.ts";
export { SmallFileSystem } from "./small-file-system.ts";
export { runWithoutDescriptors } from "./without-descriptors.ts";
