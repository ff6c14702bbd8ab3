import type { HandlersOf } from "@daos/pbin";
import type { ScmOperations } from "../scm-operations.ts";
import type { scmMethods } from "./scm-methods.ts";

/** The helper's side of `scmMethods`. The helper's policy has already allowed the request. */
export function scmHandlers(scm: ScmOperations): HandlersOf<typeof scmMethods> {
  return {
    ScmScan: (_payload, { signal }) => scm.scan({ signal }),
    ScmCheckFormat: ({ storage }, { signal }) => scm.checkFormat(storage, { signal }),
    ScmFormat: async ({ storage, reformat, owner }, { signal }) => {
      await scm.format(storage, { reformat, owner, signal });
      return {};
    },
    ScmMount: async ({ storage }, { signal }) => {
      await scm.mount(storage, { signal });
      return {};
    },
    ScmUnmount: async ({ storage }, { signal }) => {
      await scm.unmount(storage, { signal });
      return {};
    },
    ScmPrepare: (_payload, { signal }) => scm.prepare({ signal }),
    ScmReset: (_payload, { signal }) => scm.reset({ signal }),
  };
}
