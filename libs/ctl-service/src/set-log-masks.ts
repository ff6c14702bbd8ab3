import type { MessageInitShape } from "@bufbuild/protobuf";
import { parseLogLevel } from "@daos/log";
import type { ctl } from "@daos/proto";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { faultLogMasks } from "./faults.ts";

/** Changes the log level of the control plane, until it is restarted. @throws Fault usage for an unknown level */
export function setLogMasks(
  { logLevel, log }: Pick<CtlServiceOptions, "logLevel" | "log">,
  { masks, reset }: Pick<ctl.SetLogMasksReq, "masks" | "reset">,
): MessageInitShape<typeof ctl.SetLogMasksRespSchema> {
  const before = logLevel.level;
  if (reset) {
    logLevel.reset();
  } else {
    const level = parseLogLevel(masks);
    if (level === undefined) throw faultLogMasks(masks);
    logLevel.set(level);
  }
  const { level, configured } = logLevel;
  // An error by its level only: it is to be seen whatever the new level is.
  if (level !== before) log.error("the log level has been changed by an administrator", { before, level });
  return { masks: level, configured };
}
