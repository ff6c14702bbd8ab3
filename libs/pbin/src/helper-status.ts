import * as z from "zod";
import { accountId, count, nothing } from "./schemas.ts";

/** The method that every helper supports. */
export const statusMethods = {
  /** Returns the caller as the helper identifies it, and what its policy names. Changes nothing. */
  Status: {
    payload: nothing,
    result: z.object({
      release: z.string(),
      caller: z.object({ uid: accountId, gid: accountId, pid: count }),
      policy: z.object({
        source: z.string(),
        mounts: z.array(z.string()),
        devices: z.array(z.string()),
        pciAddresses: z.array(z.string()),
      }),
    }),
  },
} as const;
