/** The most a call into the engine may take, ms; the caller's own deadline may end it earlier. */
export const CALL_TIMEOUT_MS = 60_000;
/** The most that the creation or the destruction of a pool may take, ms. The real engine needs up to 10 s for a pool on one rank. */
export const POOL_TIMEOUT_MS = 300_000;
