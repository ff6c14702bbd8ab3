import { z } from "zod";
import { accountId, count, nothing } from "./schemas.ts";

/** What every helper answers, whatever it can do. */
export const statusMethods = {
  /** Who the helper takes the caller for, and what its policy names. Changes nothing. */
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
