import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ctl } from "@daos/proto";
import { packSupport } from "@daos/support";
import { LOG_MIB } from "@daos/support/flags";
import type { CtlServiceOptions, SupportSource } from "./ctl-service-options.ts";
import { faultSupportBusy } from "./faults.ts";

const MIB = 1024 * 1024;

/** The sources that are being collected from. */
const busy = new WeakSet<SupportSource>();

/**
 * Sends an archive of what support needs of this host, made while it is sent. One at a time: it reads all logs and scans the
 * hardware.
 *
 * @throws Fault supportBusy; the signal's reason
 */
export async function* supportCollect(
  { support, log }: Pick<CtlServiceOptions, "support" | "log">,
  { logMib }: Pick<ctl.SupportCollectReq, "logMib">,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<MessageInitShape<typeof ctl.SupportCollectEventSchema>> {
  if (busy.has(support)) throw faultSupportBusy();
  busy.add(support);
  try {
    const maxItemBytes = (logMib === 0 ? LOG_MIB.default : logMib) * MIB;
    const items = support.items(maxItemBytes);
    log.info("collecting the logs of this host for support", { items: items.length });
    const { directory } = support;
    for await (const event of packSupport(items, { directory, maxItemBytes, signal })) {
      switch (event.kind) {
        case "progress":
          yield { event: { case: "progress", value: event } };
          break;
        case "chunk":
          yield { event: { case: "chunk", value: new Uint8Array(event.bytes) } };
          break;
        case "done":
          yield { event: { case: "result", value: { missing: event.missing.map((one) => ({ ...one })) } } };
          break;
        default:
          event satisfies never;
      }
    }
  } finally {
    busy.delete(support);
  }
}
