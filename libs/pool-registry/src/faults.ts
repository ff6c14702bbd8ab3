import { Fault, FaultCode } from "@daos/fault";

/** Another pool has the label. */
export function faultPoolLabelTaken(label: string, holder: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.poolLabelTaken,
    description: `cannot create a second pool with the label ${label}`,
    reason: `pool ${holder} has it`,
    resolution: "give another label, or look at the pools with: dmg pool list",
  });
}

/** The uuid belongs to a pool with another label. */
export function faultPoolExists(uuid: string, label: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.poolExists,
    description: `pool ${uuid} exists already`,
    reason: label === "" ? "without a label" : `with the label ${label}`,
    resolution: "leave the label out, or create a pool with another uuid",
  });
}
