import { describe, expect, it } from "vitest";
import { Fault, showResolution } from "./fault.ts";
import { type FaultAudience, faultForPeer, MAX_PEER_TEXT } from "./fault-for-peer.ts";

const fault = (description: string, reason?: string) =>
  new Fault({
    domain: "system",
    code: 806,
    description,
    reason,
    resolution: "chmod 0600 /etc/daos/server.key",
  });

describe("faultForPeer()", () => {
  it.each<[FaultAudience, string, string]>([
    ["operator", "cannot read /etc/daos/server.key", "cannot read /etc/daos/server.key"],
    ["peer", "cannot read /etc/daos/server.key", "cannot read server.key"],
    ["peer", 'dRPC on "/run/daos/daos_io_server.sock": /mnt', 'dRPC on "daos_io_server.sock": mnt'],
    ["peer", "/mgmt.MgmtSvc/Join and /ctl.MgmtCtl/X", "/mgmt.MgmtSvc/Join and /ctl.MgmtCtl/X"],
    [
      "peer",
      "ranks 1/2 at 10.0.0.1:10001, see https://daos.io/a/b",
      "ranks 1/2 at 10.0.0.1:10001, see https://daos.io/a/b",
    ],
    ["operator", "a\u001b[2J\u202Eb", "a?[2J?b"],
  ])("faultForPeer() shows %s %j as %j", (audience, text, expected) => {
    expect(faultForPeer(fault(text), audience).description).toBe(expected);
  });

  it("faultForPeer() keeps code, lines of the reason and the leader, and shortens the resolution's paths", () => {
    const { domain, code } = fault("");
    const leader = "node1:10001";
    const given = new Fault({
      domain,
      code,
      description: "d",
      reason: "\na\nb",
      resolution: "rm /a/b",
      leader,
    });
    const { message, resolution, leader: kept } = faultForPeer(given, "peer");
    expect([message, resolution, kept]).toEqual(["d:\na\nb", "rm b", leader]);
  });

  // Work that grows with the square of the text would not end before the limit of a test.
  it("faultForPeer() cuts each text, however long it is", () => {
    const short = faultForPeer(fault("/a".repeat(2_000_000), "\n".repeat(4_000_000)), "peer");
    expect(`${short}${showResolution(short)}`.length).toBeLessThan(3 * MAX_PEER_TEXT);
    expect(short.reason).toMatch(/\.\.\.$/);
  });
});
