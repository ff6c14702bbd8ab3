// An attacker process. Its first argument is its order. It reports its progress once a second.
import { Random } from "@daos/sys/testing";
import type { AttackOrder } from "./attack.ts";
import { attackDrpc } from "./attack-drpc.ts";
import { attackGrpc } from "./attack-grpc.ts";

const { target, count, seconds, seed } = JSON.parse(process.argv[2] ?? "") as AttackOrder;
const end = performance.now() + seconds * 1000;
let sent = 0;
const progress = {
  wants: () => sent < count && performance.now() < end && process.connected,
  add: () => {
    sent++;
  },
};
const reports = setInterval(() => process.send?.(sent), 1000);
const random = new Random(seed);
await (target.kind === "drpc"
  ? attackDrpc(target.path, random, progress)
  : attackGrpc(target, random, progress));
clearInterval(reports);
if (process.connected) {
  process.send?.(sent);
  process.disconnect();
}
