import { Fault, FaultCode } from "@daos/fault";

/** A failed step of install or uninstall. */
export function faultInstall(attempted: string, reason: string, resolution: string, cause?: unknown): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperInstallFailed,
    description: `cannot ${attempted}`,
    reason,
    resolution,
    cause,
  });
}

export function faultNotRoot(attempted: string): Fault {
  return faultInstall(attempted, "this is not root", `run it as root: sudo daos-admin ${attempted}`);
}
