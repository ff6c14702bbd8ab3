export type { ListedPool, ListedState } from "./plan-reconcile.ts";
export { type NewPool, PoolRegistry } from "./pool-registry.ts";
