/** Time limit of a call into the engine, ms; the caller's own deadline may end it earlier. */
export const CALL_TIMEOUT_MS = 60_000;
/**
 * Time limit of the creation or the destruction of a pool, ms. The real engine needs up to 10 s for a pool on one rank.
 */
export const POOL_TIMEOUT_MS = 300_000;
