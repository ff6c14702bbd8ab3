import type { ServiceImpl } from "@connectrpc/connect";
import type { ctl } from "@daos/proto";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { systemActionHandlers } from "./system-action-handlers.ts";
import { systemEvents } from "./system-events.ts";
import { systemQueryHandlers } from "./system-query-handlers.ts";

type SystemMethods = ReturnType<typeof systemQueryHandlers> &
  ReturnType<typeof systemActionHandlers> &
  Pick<ServiceImpl<typeof ctl.MgmtCtl>, "systemEvents">;

/** The handlers of `ctl.MgmtCtl` that only the leader serves: the members, and actions on them. */
export function systemService(
  options: Pick<CtlServiceOptions, "leadership" | "actions" | "log">,
): SystemMethods {
  return {
    ...systemQueryHandlers(options),
    ...systemActionHandlers(options),
    systemEvents: (request, context) => systemEvents(options, request, context),
  };
}
