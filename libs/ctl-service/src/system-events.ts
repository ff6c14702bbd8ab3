import type { MessageInitShape } from "@bufbuild/protobuf";
import { formatHostAddress } from "@daos/hostlist";
import type { SystemEvent } from "@daos/membership";
import type { ctl } from "@daos/proto";
import type { CtlServiceOptions } from "./ctl-service-options.ts";

/** The events that the leader has, and with `follow` those to come. @throws Fault leadershipLost when its term ends */
export async function* systemEvents(
  { leadership }: Pick<CtlServiceOptions, "leadership">,
  { follow, after, since }: Pick<ctl.SystemEventsReq, "follow" | "after" | "since">,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<MessageInitShape<typeof ctl.SystemEventSchema>> {
  const membership = leadership.membership();
  const { events } = membership;
  const from = Number(after);
  if (!follow) {
    for (const event of events.list(from)) if (event.time >= since) yield eventToProto(event);
    return;
  }
  const either = AbortSignal.any([signal, membership.signal]);
  for await (const event of events.follow(from, { signal: either }))
    if (event.time >= since) yield eventToProto(event);
  signal.throwIfAborted();
  membership.checkTerm("follow the events of the system");
}

function eventToProto(event: SystemEvent): MessageInitShape<typeof ctl.SystemEventSchema> {
  const { number, time, kind, severity, message, rank, uuid = "", address } = event;
  return {
    number: BigInt(number),
    time: BigInt(time),
    kind,
    severity,
    message,
    ...(rank === undefined ? {} : { rank }),
    uuid,
    addr: address === undefined ? "" : formatHostAddress(address),
  };
}
