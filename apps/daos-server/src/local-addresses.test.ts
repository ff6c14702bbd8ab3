import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { localAddresses } from "./local-addresses.ts";

describe("localAddresses()", () => {
  it("localAddresses() includes the loopback", () => {
    expect(localAddresses().has("127.0.0.1")).toBe(true);
  });

  it("localAddresses() names the service setting when it forbids the request to the kernel", () => {
    const refused = () => {
      // The message of Node.js under RestrictAddressFamilies=AF_UNIX AF_INET.
      throw new Error("A system error occurred: uv_interface_addresses returned EAFNOSUPPORT");
    };
    let fault: unknown;
    try {
      localAddresses(refused);
    } catch (error) {
      fault = error;
    }
    expect(fault).toMatchObject({
      code: FaultCode.addressesUnknown,
      resolution: expect.stringContaining("AF_NETLINK to RestrictAddressFamilies="),
    });
  });
});
