export { type FakeController, FakeMachine } from "./fake-machine.ts";
