import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { errorText, Fault, FaultCode } from "@daos/fault";

declare const handleBrand: unique symbol;

/** A socket of the addon. */
export type NativeHandle = { readonly [handleBrand]: true };

/** The peer's credentials, as the kernel recorded them at connect time. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export const READABLE = 1;
export const WRITABLE = 2;
export const PEER_GONE = 4;
export const RECV_WOULD_BLOCK = -1;
export const RECV_END = -2;

/** `native/seqpacket.c`. Every failure is an Error with `code`, as in `ECONNREFUSED`. */
interface NativeSeqpacket {
  connect(path: string): NativeHandle;
  listen(path: string, directory: string, mode: number, backlog: number): NativeHandle;
  removeDead(path: string): void;
  accept(listener: NativeHandle): NativeHandle | undefined;
  recv(handle: NativeHandle, into: Buffer): number;
  send(handle: NativeHandle, packet: Uint8Array): boolean;
  watch(handle: NativeHandle, events: number, onEvents: (events: number) => void): void;
  peer(handle: NativeHandle): PeerCredentials;
  close(handle: NativeHandle): void;
  /** flock(2), exclusive, without waiting; false when another process holds the lock. */
  tryLock(fd: number): boolean;
}

/** The addon. The path is valid from `src/` and from `dist/`. */
export const native: NativeSeqpacket = load(new URL("../build/seqpacket.node", import.meta.url));

function load(url: URL): NativeSeqpacket {
  try {
    return createRequire(import.meta.url)(fileURLToPath(url)) as NativeSeqpacket;
  } catch (cause) {
    throw new Fault({
      domain: "drpc",
      code: FaultCode.missingSoftwareDependency,
      description: `the socket addon ${fileURLToPath(url)} cannot be loaded`,
      reason: errorText(cause),
      resolution: "build it: npx nx run @daos/drpc:native (needs a C compiler: gcc and libc6-dev)",
      cause,
    });
  }
}

/** The errno's name of an addon's error; undefined for any other error. */
export function errnoName(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : undefined;
}
