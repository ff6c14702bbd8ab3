export { type FakeController, FakeMachine } from "./fake-machine.ts";
export type { FakeSpdkController } from "./fake-spdk-drive.ts";
export {
  type FakeSpdkOptions,
  FakeSpdkTarget,
  SPDK_RELEASES,
  type SpdkRelease,
} from "./fake-spdk-target.ts";
