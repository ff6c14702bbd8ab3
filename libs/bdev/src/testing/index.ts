export { type FakeController, FakeMachine } from "./fake-machine.ts";
export { type FakeSpdkController, FakeSpdkTarget } from "./fake-spdk-target.ts";
