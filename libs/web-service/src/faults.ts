import { errorText, Fault, FaultCode } from "@daos/fault";

/** The page's port cannot be listened on. */
export function faultPortBusy(port: number, error: unknown): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.webPortUnusable,
    description: `the page cannot be served on port ${port} of the loopback`,
    reason: errorText(error),
    resolution: "name another port with --port, or leave it out for one that is free",
    cause: error,
  });
}

/** `--read-only` refuses an action. */
export function faultReadOnly(attempted: string): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.webReadOnly,
    description: `cannot ${attempted}: this page was started with --read-only`,
    resolution: "run the command on the command line, or start dmg web without --read-only",
  });
}

/** The token or the session does not belong to this dmg. */
export function faultNotAuthorized(description: string): Fault {
  return new Fault({
    domain: "security",
    code: FaultCode.webNotAuthorized,
    description,
    resolution: "open the latest link that dmg web has printed; each link works once",
  });
}

/** The request is for, or from, another page. */
export function faultForeignRequest(header: string, value: string): Fault {
  return new Fault({
    domain: "security",
    code: FaultCode.webForeignRequest,
    description: `the request is not from the page of dmg web: ${header} is ${JSON.stringify(value.slice(0, 100))}`,
    resolution:
      "open the link as dmg web has printed it, with 127.0.0.1 and the same port on both sides of a tunnel",
  });
}

/** A limit of dmg web is reached. */
export function faultLimit(what: string, limit: number): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.webLimit,
    description: `dmg web has ${what}: no more than ${limit} at a time`,
    resolution: "close windows with this page, then reload it",
  });
}

/** The files of the page are missing. */
export function faultPageMissing(directory: string, error: unknown): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.webPageMissing,
    description: `the files of the page are not in ${directory}`,
    reason: errorText(error),
    resolution: "build it: npm start or npm test in the workspace; or install the package again",
    cause: error,
  });
}

/** A field of a call is invalid. */
export function faultRequestInvalid(description: string): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.webRequestInvalid,
    description,
    resolution: "reload the page: it may be of another release than dmg",
  });
}

/** Other work on storage is under way. */
export function faultWorkGoesOn(): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.webWorkGoesOn,
    description: "cannot start work on storage: this dmg web already prepares, formats or burns in storage",
    resolution: "wait until it has ended (the page Storage shows it), or end it there",
  });
}
