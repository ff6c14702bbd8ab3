export { FakeSpdkTarget } from "./fake-spdk-target.ts";
