import { fromBinary } from "@bufbuild/protobuf";
import { createContextKey, type Interceptor } from "@connectrpc/connect";
import { toFault } from "@daos/fault";
import { type Logger, limitRepeats } from "@daos/log";
import { clientCall } from "@daos/mgmt-service";
import { mgmt } from "@daos/proto";
import { grpcCodeName } from "@daos/rpc";
import { AUDITED_CALLS, type Peer } from "@daos/security";
import { type AuditCaller, type AuditedCall, callerFrom, callerThrough, writeAudit } from "./audit-log.ts";
import { type AnswerOutcome, outcomeOf } from "./outcome-of.ts";

/** The peer of a request. The listener sets it. */
export const peerKey = createContextKey<Peer | undefined>(undefined, { description: "who calls" });

const { typeName, method, methods } = mgmt.MgmtSvc;
const CALL_ENGINE = `/${typeName}/${method.callEngine.name}`;
const CALL_LEADER = `/${typeName}/${method.callLeader.name}`;
const CARRIERS: readonly string[] = [CALL_ENGINE, CALL_LEADER];

type Subject = Pick<AuditedCall, "call" | "caller" | "about">;

/**
 * Writes one line to `log` at the end of each call of {@link AUDITED_CALLS}: the caller, the call, the outcome and the
 * duration. Give it to `connectNodeAdapter` inside `faultInterceptor` and outside `limitInterceptor`, so that it sees faults,
 * also those of refused requests. Failed calls of servers and agents are written at a bounded rate, because these callers may
 * repeat them without limit.
 */
export function auditInterceptor(log: Logger): Interceptor {
  const quiet = limitRepeats(log);
  return (next) => async (request) => {
    const path = `/${request.service.typeName}/${request.method.name}`;
    if (!CARRIERS.includes(path) && !AUDITED_CALLS.has(path)) return next(request);
    const peer = request.contextValues.get(peerKey);
    const caller = peer === undefined ? { address: "unknown" } : callerFrom(peer);
    const start = performance.now();
    const isLesser = peer?.kind === "certificate" && peer.role !== "admin";
    const write = (subject: Subject, ended: Ended) =>
      writeAudit(isLesser && ended.outcome !== "OK" ? quiet : log, {
        ...subject,
        ...ended,
        ms: performance.now() - start,
      });

    if (request.stream) {
      let subject: Subject = { call: request.method.name, caller };
      const message = seen(request.message, (first) => {
        subject = subjectOf(path, first, caller) ?? subject;
      });
      const onEnd = (ended: Ended) => write(subject, ended);
      const response = await next({ ...request, message }).catch((error: unknown) => {
        onEnd(failureOf(error));
        throw error;
      });
      return response.stream ? { ...response, message: watched(response.message, onEnd) } : response;
    }
    const subject = subjectOf(path, request.message, caller);
    if (subject === undefined) return next(request);
    try {
      const response = await next(request);
      write(subject, response.stream ? DONE : outcomeOf(response.message));
      return response;
    } catch (error) {
      write(subject, failureOf(error));
      throw error;
    }
  };
}

/** The subject of a request; undefined for a request that changes nothing. */
function subjectOf(path: string, message: object, caller: AuditCaller): Subject | undefined {
  if (path === CALL_ENGINE) {
    const { method: number, caller: certificate } = message as mgmt.CallEngineReq;
    const carried = clientCall(number);
    if (!AUDITED_CALLS.has(carried)) return undefined;
    return { call: nameOf(carried), caller: callerThrough(caller, certificate) };
  }
  if (path === CALL_LEADER) {
    const { method: number, caller: certificate, address, body } = message as mgmt.CallLeaderReq;
    const carried = clientCall(number);
    const about = AUDITED_CALLS.get(carried);
    if (about === undefined) return undefined;
    const client = callerThrough(caller, certificate, address);
    return { call: nameOf(carried), caller: client, about: aboutCarried(carried, body, about) };
  }
  return { call: nameOf(path), caller, about: AUDITED_CALLS.get(path)?.(message) };
}

/** The subject of a client's request that another server forwards; undefined when the request cannot be decoded. */
function aboutCarried(
  path: string,
  body: Uint8Array,
  about: (message: object) => AuditedCall["about"],
): AuditedCall["about"] {
  const carried = methods.find(({ name }) => name === nameOf(path));
  if (carried === undefined) return undefined;
  try {
    return about(fromBinary(carried.input, body));
  } catch {
    return undefined;
  }
}

/** `PoolDestroy` of `/mgmt.MgmtSvc/PoolDestroy`. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

type Ended = Omit<AnswerOutcome, "failed"> & { readonly failed?: number };

const DONE: Ended = { outcome: "OK" };

function failureOf(error: unknown): Ended {
  return { outcome: grpcCodeName(error), reason: toFault(error).message };
}

async function* seen<T>(messages: AsyncIterable<T>, look: (message: T) => void): AsyncGenerator<T> {
  for await (const message of messages) {
    look(message);
    yield message;
  }
}

/** Passes an answer stream on, and reports its outcome, also when its reader stops early. The last message has the results. */
async function* watched<T extends object>(
  messages: AsyncIterable<T>,
  onEnd: (ended: Ended) => void,
): AsyncGenerator<T> {
  let ended: Ended = { outcome: "CANCELLED" };
  try {
    let last: T | undefined;
    for await (const message of messages) {
      last = message;
      yield message;
    }
    ended = last === undefined ? DONE : outcomeOf(last);
  } catch (error) {
    ended = failureOf(error);
    throw error;
  } finally {
    onEnd(ended);
  }
}
