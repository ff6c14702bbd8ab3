// npm run test:spdk: runs the contract suite of libs/bdev on a real SPDK target instead of the fake one.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureDependencies, fail, nodeBinary, root, workspaceEnvironment } from "./prepare.mjs";

const { DAOS_SPDK_SOCKET: socket, DAOS_SPDK_FORMAT: address } = process.env;
if (socket === undefined || socket === "") {
  fail(`test:spdk needs a running SPDK target that drives at least one NVMe controller of the PCI bus:
  spdk_tgt &
  rpc.py bdev_nvme_attach_controller -b Nvme0 -t PCIe -a 0000:81:00.0
  DAOS_SPDK_SOCKET=/var/tmp/spdk.sock npm run test:spdk
Nothing is written to its devices. With DAOS_SPDK_FORMAT=0000:81:00.0 that controller is formatted, too: ITS DATA IS LOST.`);
}
ensureDependencies();
process.stderr.write(
  address === undefined
    ? "No DAOS_SPDK_FORMAT: no controller is formatted.\n"
    : `The controller ${address} is formatted: its data is lost.\n`,
);
const { status, error } = spawnSync(
  nodeBinary(),
  [
    join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "--config",
    join(root, "tools/workspace/vitest.config.mjs"),
    "src/spdk-contract.test.ts",
    ...process.argv.slice(2),
  ],
  { cwd: join(root, "libs/bdev"), env: workspaceEnvironment(), stdio: "inherit" },
);
if (error !== undefined) throw error;
process.exit(status ?? 1);
