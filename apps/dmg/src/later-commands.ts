/** Why the data plane of release 0.8.0 cannot do something. */
interface Why {
  readonly reason: string;
  readonly resolution: string;
}

const RANKS_ARE_FIXED: Why = {
  reason:
    "in the data plane of release 0.8.0 a pool keeps the ranks that it was created with, and nothing rebuilds its data",
  resolution: "create another pool with --ranks or --nranks, and copy the data",
};
const NO_PROPERTIES: Why = {
  reason: "in the data plane of release 0.8.0 pools have no properties beside their access control list",
  resolution:
    "see or change that list with dmg pool get-acl and update-acl; a label is given by dmg pool create --label",
};
const NO_SYSTEM_PROPERTIES: Why = {
  reason: "the data plane of release 0.8.0 keeps no properties or attributes of the system",
  resolution: "keep such settings in the configuration of the servers",
};
const NO_HANDLES: Why = {
  reason: "the data plane of release 0.8.0 has no call that ends the connections of clients",
  resolution: "stop the clients; dmg pool destroy --force destroys a pool that they have open",
};
const NO_DEVICE_CHANGES: Why = {
  reason:
    "the data plane of release 0.8.0 takes no call that changes the state of a device while its engine runs",
  resolution: "exclude the rank with dmg system exclude, then replace the device",
};
const NO_LED: Why = {
  reason: "the data plane of release 0.8.0 has no call for the lights of devices",
  resolution: "see the PCI address and serial number with dmg storage scan --verbose",
};
const NO_CONTAINERS: Why = {
  reason: "the control plane of release 0.8.0 does not know of containers",
  resolution: "use the daos utility on a client",
};
const NO_CHECK: Why = {
  reason: "the data plane of release 0.8.0 has no checker",
  resolution: "check what the control plane keeps with: daos-server members check",
};
const UPGRADES: Why = {
  reason: "in release 0.8.0 pools have one layout, and there is nothing to upgrade to",
  resolution: "leave the pool as it is",
};

/** The commands of DAOS 2.x that the data plane of release 0.8.0 cannot do, each with the reason. */
export const LATER_COMMANDS: Readonly<Record<string, Why>> = {
  "pool extend": RANKS_ARE_FIXED,
  "pool drain": RANKS_ARE_FIXED,
  "pool exclude": RANKS_ARE_FIXED,
  "pool reintegrate": RANKS_ARE_FIXED,
  "pool rebuild": RANKS_ARE_FIXED,
  "pool query-targets": RANKS_ARE_FIXED,
  "pool set-prop": NO_PROPERTIES,
  "pool get-prop": NO_PROPERTIES,
  "pool evict": NO_HANDLES,
  "pool upgrade": UPGRADES,
  "system drain": RANKS_ARE_FIXED,
  "system reintegrate": RANKS_ARE_FIXED,
  "system rebuild": RANKS_ARE_FIXED,
  "system self-heal": RANKS_ARE_FIXED,
  "system cleanup": NO_HANDLES,
  "system set-attr": NO_SYSTEM_PROPERTIES,
  "system get-attr": NO_SYSTEM_PROPERTIES,
  "system del-attr": NO_SYSTEM_PROPERTIES,
  "system set-prop": NO_SYSTEM_PROPERTIES,
  "system get-prop": NO_SYSTEM_PROPERTIES,
  "storage set": NO_DEVICE_CHANGES,
  "storage replace": NO_DEVICE_CHANGES,
  "storage nvme-add-device": NO_DEVICE_CHANGES,
  "storage led": NO_LED,
  container: NO_CONTAINERS,
  cont: NO_CONTAINERS,
  check: NO_CHECK,
};
