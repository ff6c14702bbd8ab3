export { findPool, MIN_UUID_PREFIX } from "./find-pool.ts";
export { isPoolUuid, MAX_POOL_LABEL, parsePoolLabel } from "./pool-label.ts";
