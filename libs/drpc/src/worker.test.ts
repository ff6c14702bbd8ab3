import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SocketFixture } from "./testing/socket-fixture.ts";

const fixture = new SocketFixture();
beforeEach(() => fixture.open());
afterEach(() => fixture.close());

const script = new URL("testing/busy-worker.ts", import.meta.url);

describe("a worker with open sockets", () => {
  it.each(["terminate", "exit"])(
    "DrpcServer lets a worker end by %s without ending the process",
    async (how) => {
      const worker = new Worker(script, { workerData: { path: fixture.path, how } });
      const [message] = await once(worker, "message");
      expect(message).toBe("connected");
      const ended = once(worker, "exit");
      if (how === "terminate") void worker.terminate();
      else worker.postMessage("go");
      await ended;
      await fixture.serve([]);
    },
  );
});
