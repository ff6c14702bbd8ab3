import { Code, ConnectError } from "@connectrpc/connect";
import { ctl } from "@daos/proto";

/** A failure on the page. */
export interface PageFault {
  readonly code: number;
  readonly domain: string;
  readonly text: string;
  readonly resolution: string;
}

/** A fault from a message. */
export function fromDetail(detail: ctl.FaultDetail): PageFault {
  const { code, domain, description, reason, resolution } = detail;
  return { code, domain, text: reason === "" ? description : `${description}: ${reason}`, resolution };
}

/** True when dmg does not know this browser. */
export function isNotAuthorized(error: unknown): boolean {
  return ConnectError.from(error).code === Code.Unauthenticated;
}

/** Converts any failure of a call: dmg's fault, or a lost connection to dmg. */
export function toPageFault(error: unknown): PageFault {
  const failure = ConnectError.from(error);
  const [detail] = failure.findDetails(ctl.FaultDetailSchema);
  if (detail !== undefined) return fromDetail(detail);
  if (failure.code === Code.Unauthenticated) return NOT_AUTHORIZED;
  return {
    code: 3107,
    domain: "client",
    text: `this page has no contact with dmg web: ${failure.rawMessage}`,
    resolution: "the page tries again by itself; if dmg web has ended, start it again and open its link",
  };
}

const NOT_AUTHORIZED: PageFault = {
  code: 3132,
  domain: "security",
  text: "this browser has not been let in by this dmg web",
  resolution: "open the latest link that dmg web has printed; each link works once",
};
