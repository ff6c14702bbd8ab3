import type { ServerOptions } from "node:http2";
import type { BudgetShare } from "./receive-budget.ts";

/** The limits of one client, and of all clients together. Times are in milliseconds, sizes in bytes. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /**
   * Maximum number of connections that have sent nothing yet, and as many again that have not shown a certificate (in
   * plain text: HTTP/2), in all and from one address. A new one beyond it ends the oldest.
   */
  readonly maxHandshakes: number;
  readonly maxHandshakesPerAddress: number;
  /** New connections of one address at once, and per second after that; further ones wait, up to `handshakeMs`. */
  readonly connectionBurst: number;
  readonly connectionsPerSecond: number;
  /** From accepting a connection to the end of its TLS handshake, or to its first bytes. */
  readonly handshakeMs: number;
  /** Idle time after which a connection without calls is closed; one with calls must answer a ping. */
  readonly idleMs: number;
  /** From the headers of a call to the end of its request. */
  readonly requestMs: number;
  /** How long an answer may wait for a client that does not read it. */
  readonly stallMs: number;
  readonly maxConcurrentStreams: number;
  /** An agent has one connection, and one call for each job that starts on its node. */
  readonly maxAgentStreams: number;
  readonly maxAgentConnections: number;
  readonly maxAgentConnectionsPerAddress: number;
  /** All headers of a call together, uncompressed. */
  readonly maxHeaderBytes: number;
  /** One message, uncompressed, whatever its method: see `METHOD_LIMITS` for what each may have. */
  readonly maxMessageBytes: number;
  /** Maximum number of calls that a client may open and cancel on one connection at once, and per second after that. */
  readonly resetBurst: number;
  readonly resetsPerSecond: number;
  /** The same for all connections of a role from one address. */
  readonly cancelled: Readonly<Record<BudgetShare, { readonly burst: number; readonly perSecond: number }>>;
}

/** Far above what dmg, agents and servers of the largest system need. */
export const DEFAULT_LIMITS: ConnectionLimits = {
  maxConnections: 8192,
  maxConnectionsPerAddress: 512,
  maxHandshakes: 1024,
  maxHandshakesPerAddress: 256,
  connectionBurst: 256,
  connectionsPerSecond: 64,
  handshakeMs: 10_000,
  idleMs: 300_000,
  requestMs: 30_000,
  stallMs: 60_000,
  maxConcurrentStreams: 128,
  maxAgentStreams: 16,
  maxAgentConnections: 6144,
  maxAgentConnectionsPerAddress: 16,
  maxHeaderBytes: 16_384,
  maxMessageBytes: 4 * 1024 * 1024,
  resetBurst: 1000,
  resetsPerSecond: 33,
  cancelled: {
    agent: { burst: 200, perSecond: 10 },
    server: { burst: 1000, perSecond: 50 },
    admin: { burst: 1000, perSecond: 50 },
    insecure: { burst: 1000, perSecond: 50 },
  },
};

/** Descriptors that no connection may take: engines, tools, dRPC, etcd and files need them. */
const RESERVED_DESCRIPTORS = 256;

/**
 * Limits whose connections leave enough of this process's descriptors for its own work: all but 256, but at most half of
 * less than 512. Connections come from outside, and an engine that cannot be started for want of descriptors is an outage.
 *
 * @param openFiles RLIMIT_NOFILE; undefined for no limit
 */
export function limitsWithin(
  openFiles: number | undefined,
  limits: ConnectionLimits = DEFAULT_LIMITS,
): ConnectionLimits {
  if (openFiles === undefined) return limits;
  const most =
    openFiles >= 2 * RESERVED_DESCRIPTORS ? openFiles - RESERVED_DESCRIPTORS : Math.floor(openFiles / 2);
  return {
    ...limits,
    maxConnections: Math.min(limits.maxConnections, most),
    maxConnectionsPerAddress: Math.min(limits.maxConnectionsPerAddress, most),
    // Connections without data and handshakes together leave half of the places to known clients.
    maxHandshakes: Math.min(limits.maxHandshakes, Math.floor(most / 4)),
    maxHandshakesPerAddress: Math.min(limits.maxHandshakesPerAddress, Math.floor(most / 8)),
  };
}

/** Documented by Node.js, but not in its types. */
interface UntypedOptions {
  readonly maxSessionInvalidFrames: number;
  readonly maxSessionRejectedStreams: number;
}

/** The limits that nghttp2 and Node.js enforce themselves, as options of `http2.createServer` and its secure sister. */
export function http2ServerLimits(limits: ConnectionLimits = DEFAULT_LIMITS): ServerOptions {
  const options: ServerOptions & UntypedOptions = {
    settings: {
      enablePush: false,
      maxConcurrentStreams: limits.maxConcurrentStreams,
      maxHeaderListSize: limits.maxHeaderBytes,
    },
    maxSessionMemory: 16,
    maxHeaderListPairs: 64,
    maxSessionInvalidFrames: 32,
    maxSessionRejectedStreams: 64,
    maxSettings: 32,
    maxOutstandingPings: 4,
    streamResetBurst: limits.resetBurst,
    streamResetRate: limits.resetsPerSecond,
    unknownProtocolTimeout: 1_000,
  };
  return options;
}
