import type { TransportConfig } from "@daos/config";
import { describe, expect, it } from "vitest";
import { listenAddress } from "./listen-address.ts";

const OUTSIDE = "10.0.0.5";
const CASES: readonly {
  readonly title: string;
  readonly insecure: boolean;
  readonly given?: string;
  readonly accessPoint: string;
  readonly self: string;
  readonly local?: readonly string[];
  readonly expected: string;
}[] = [
  {
    title: "every address when there are certificates",
    insecure: false,
    accessPoint: "localhost",
    self: "127.0.0.1",
    expected: "0.0.0.0",
  },
  {
    title: "every address of both kinds on a host with IPv6",
    insecure: false,
    accessPoint: "::1",
    self: "::1",
    local: [OUTSIDE, "::1"],
    expected: "::",
  },
  {
    title: "the IPv6 loopback when every access point is on it",
    insecure: true,
    accessPoint: "::1",
    self: OUTSIDE,
    local: [OUTSIDE, "::1"],
    expected: "::1",
  },
  {
    title: "the configured address when there are certificates",
    insecure: false,
    given: OUTSIDE,
    accessPoint: "localhost",
    self: OUTSIDE,
    expected: OUTSIDE,
  },
  {
    title: "the configured address when there are none",
    insecure: true,
    given: OUTSIDE,
    accessPoint: "localhost",
    self: OUTSIDE,
    expected: OUTSIDE,
  },
  {
    title: "the configured loopback when the access point is elsewhere",
    insecure: true,
    given: "127.0.0.1",
    accessPoint: "ap-1",
    self: OUTSIDE,
    expected: "127.0.0.1",
  },
  {
    title: "the control address when it is on the loopback",
    insecure: true,
    accessPoint: "127.0.0.2",
    self: "127.0.0.2",
    expected: "127.0.0.2",
  },
  {
    title: "the loopback when every access point is on it, whatever addresses the host has",
    insecure: true,
    accessPoint: "localhost",
    self: OUTSIDE,
    expected: "127.0.0.1",
  },
  {
    title: "every address when an access point is in the network",
    insecure: true,
    accessPoint: "ap-1",
    self: OUTSIDE,
    expected: "0.0.0.0",
  },
];

describe("listenAddress()", () => {
  it.each(CASES)("listenAddress() is $title", ({ insecure, given, accessPoint, self, local, expected }) => {
    const config = {
      listenAddress: given,
      accessPoints: [{ host: accessPoint, port: 10001 }],
      transport: { allowInsecure: insecure } as TransportConfig,
    };
    const host = { self: { host: self, port: 10001 }, localAddresses: new Set(local ?? [self]) };
    expect(listenAddress(config, host)).toBe(expected);
  });
});
