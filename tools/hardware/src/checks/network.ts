import { strict as assert } from "node:assert";
import { FaultCode } from "@daos/fault";
import { NetworkProvider } from "@daos/network";
import { check, faultOf, log, runner } from "./tools.ts";

check("network: interfaces, providers and NUMA nodes", async () => {
  const network = new NetworkProvider({ runner, log });
  const found = await network.scan("ofi+sockets");
  assert.deepEqual(
    found.filter(({ device }) => device !== "lo").toSorted((a, b) => a.device.localeCompare(b.device)),
    [
      { provider: "ofi+sockets", device: "eth0", numaNode: 0 },
      { provider: "ofi+sockets", device: "eth1", numaNode: 1 },
    ],
  );
  await network.check("eth1", "ofi+tcp;ofi_rxm");
  await network.checkNumaNode("eth1", 1);
  await faultOf(network.check("eth7", "ofi+tcp"), FaultCode.networkUnknownInterface);
  await faultOf(network.check("eth0", "ofi+psm2"), FaultCode.networkUnsupportedProvider);
  await faultOf(network.checkNumaNode("eth1", 0), FaultCode.networkOtherNumaNode);
});
