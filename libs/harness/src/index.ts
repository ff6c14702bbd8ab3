export { Harness } from "./harness.ts";
