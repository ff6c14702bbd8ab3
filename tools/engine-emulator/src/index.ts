export { type InjectedFaults, type MethodFaults, parseInjectedFaults } from "./injected-faults.ts";
export { STATE_FILE } from "./state-store.ts";
