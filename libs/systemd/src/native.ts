import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { errorText, Fault, FaultCode } from "@daos/fault";

/** `native/datagram.c`. Every failure is an Error with `code`, as in `ECONNREFUSED`. */
export interface NativeDatagram {
  /** @returns false when the receiver's queue is full */
  sendTo(address: string, bytes: Uint8Array): boolean;
  trimMemory(): void;
}

/**
 * Sends one datagram to a unix socket, as the journal and systemd have them, without waiting.
 *
 * @returns false when the receiver's queue is full
 * @throws Fault missingSoftwareDependency; Error with `code` when it cannot be sent
 */
export function sendDatagram(address: string, bytes: Uint8Array): boolean {
  loaded ??= loadDatagram();
  return loaded.sendTo(address, bytes);
}

/**
 * Returns the memory to the kernel that native parts of this process have freed, as systemd's `sd_event_trim_memory()`. malloc keeps
 * free memory below used memory.
 *
 * @throws Fault missingSoftwareDependency
 */
export function trimMemory(): void {
  loaded ??= loadDatagram();
  loaded.trimMemory();
}

let loaded: NativeDatagram | undefined;

/** Loads the addon. @throws Fault missingSoftwareDependency */
export function loadDatagram(): NativeDatagram {
  const path = fileURLToPath(new URL("../build/datagram.node", import.meta.url));
  try {
    return createRequire(import.meta.url)(path) as NativeDatagram;
  } catch (cause) {
    throw new Fault({
      domain: "general",
      code: FaultCode.missingSoftwareDependency,
      description: `the addon ${path}, which notifies systemd and returns memory, cannot be loaded`,
      reason: errorText(cause),
      resolution: "build it: npx nx run @daos/systemd:native (needs a C compiler: gcc and libc6-dev)",
      cause,
    });
  }
}
