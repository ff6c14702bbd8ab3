import { type Fault, FaultCode } from "@daos/fault";

/** EX_CONFIG of sysexits.h: the server cannot start before its configuration is corrected. */
export const EXIT_CONFIG = 78;

const OF_CONFIGURATION: ReadonlySet<number> = new Set([FaultCode.configNotFound, FaultCode.configInvalid]);

/**
 * The exit code of a start that has failed. The unit starts the server again after each one but {@link EXIT_CONFIG}: what is
 * missing, such as the carrier of an interface, a device or a name server, may come later in the boot.
 */
export function exitCodeOf({ code }: Fault): number | undefined {
  return OF_CONFIGURATION.has(code) ? EXIT_CONFIG : undefined;
}
