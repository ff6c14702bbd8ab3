import { cleanText } from "./clean-text.ts";
import { Fault } from "./fault.ts";

/** Maximum length of each text of a fault for a peer, in characters: three texts fit into the headers of an answer. */
export const MAX_PEER_TEXT = 1024;

/** Who gets a fault. Administrators operate this host; `peer` is any other role, or a client that is refused. */
export type FaultAudience = "operator" | "peer";

/** An absolute path; `/mgmt.MgmtSvc/Join` is the name of a call, and what follows `:` or `/` is a part of a URL. */
const PATH = /(?<![\w.:/-])\/(?!(?:ctl|mgmt)\.)(?:[^\s/"'`,;:()<>]+\/)*([^\s/"'`,;:()<>]+)/g;

/**
 * A fault as it is sent to a peer: each text is cut to `max` characters and has no control characters but ends of
 * lines. Except for an operator, paths of this host are shortened to their last name. Every fault that a server sends
 * goes through this function.
 */
export function faultForPeer(fault: Fault, audience: FaultAudience, max: number = MAX_PEER_TEXT): Fault {
  const { domain, code, description, reason, resolution, leader } = fault;
  const show = (text: string) => {
    const lines = cleanLines(text, max);
    return audience === "operator" ? lines : lines.replace(PATH, "$1");
  };
  return new Fault({
    domain,
    code,
    description: show(description),
    reason: reason === undefined ? undefined : show(reason),
    resolution: show(resolution),
    leader,
    cause: fault,
  });
}

/** Some reasons have several lines. The ends of lines are set aside while the rest is cleaned. */
function cleanLines(text: string, max: number): string {
  // Cut first: a long text costs no more than a short one.
  const short = text.slice(0, max + 1).replaceAll("\n", "\uE000");
  return cleanText(short, max).replaceAll("\uE000", "\n");
}
