import { type ChildProcess, spawn } from "node:child_process";
import { createLogger, type LogRecord } from "@daos/log";
import { afterEach, describe, expect, it } from "vitest";
import { ServiceNotifier } from "./service-notifier.ts";

/** A socket as systemd has it. Python stands in for systemd, because Node.js has no unix datagram sockets. */
const RECEIVER = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1].replace("@", "\\0", 1))
print("bound", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        print(repr(receiver.recv(4096).decode()), flush=True)
`;

let children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
});

async function receiver(address: string) {
  const child = spawn("python3", ["-c", RECEIVER, address], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  await expect.poll(() => text).toBe("bound\n");
  return {
    child,
    /** Lets it receive `count` messages more, and returns all that it has received. */
    receive: async (count: number): Promise<readonly string[]> => {
      const all = text.split("\n").length - 1 + count;
      child.stdin.write(`${count}\n`);
      await expect.poll(() => text.split("\n").length - 1).toBe(all);
      return text
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => line.slice(1, -1));
    },
  };
}

function logged() {
  const records: LogRecord[] = [];
  const log = createLogger((record) => void records.push(record), { level: "DEBUG", component: "test" });
  return { log, records };
}

const address = (name: string) => `@daos-notify-${process.pid}-${name}`;

describe("ServiceNotifier", () => {
  it("ServiceNotifier sends systemd each state in the order of the calls, and removes the socket from the environment", async () => {
    const systemd = await receiver(address("order"));
    const env: Record<string, string> = { NOTIFY_SOCKET: address("order"), WATCHDOG_PID: "1", PATH: "/bin" };
    using notifier = new ServiceNotifier({ env, log: logged().log });
    notifier.status("starting\nengine 0");
    notifier.status("starting engine 0");
    notifier.ready();
    notifier.reloading();
    notifier.stopping();
    const messages = await systemd.receive(4);
    expect(messages.slice(0, 2)).toEqual(["STATUS=starting engine 0", "READY=1"]);
    expect(messages[2]).toMatch(/^RELOADING=1\\nMONOTONIC_USEC=\d{6,}$/);
    expect(messages[3]).toBe("STOPPING=1");
    expect(env).toEqual({ PATH: "/bin" });
  });

  it("ServiceNotifier feeds the watchdog of this process, and asks for time while the service is busy", async () => {
    const systemd = await receiver(address("watchdog"));
    const env = {
      NOTIFY_SOCKET: address("watchdog"),
      WATCHDOG_USEC: "60000",
      WATCHDOG_PID: `${process.pid}`,
    };
    using _notifier = new ServiceNotifier({ env, log: logged().log, isBusy: () => true });
    expect(await systemd.receive(4)).toEqual([
      "WATCHDOG=1",
      "EXTEND_TIMEOUT_USEC=60000000",
      "WATCHDOG=1",
      "EXTEND_TIMEOUT_USEC=60000000",
    ]);
  });

  it("ServiceNotifier does not lose what systemd is too busy to take", async () => {
    const systemd = await receiver(address("full"));
    using notifier = new ServiceNotifier({ env: { NOTIFY_SOCKET: address("full") }, log: logged().log });
    // More than the queue of a unix socket holds, net.unix.max_dgram_qlen.
    for (let number = 0; number < 500; number++) notifier.status(`${number}`);
    notifier.ready();
    await expect.poll(async () => (await systemd.receive(1)).at(-1)).toBe("READY=1");
  });

  it("ServiceNotifier does nothing in a process that systemd did not start", () => {
    const { log, records } = logged();
    using notifier = new ServiceNotifier({ env: { WATCHDOG_USEC: "1000" }, log });
    notifier.ready();
    notifier.stopping();
    expect(records).toEqual([]);
  });

  it.each([address("nobody"), "/nonexistent/notify", "notify", `/${"x".repeat(200)}`])(
    "ServiceNotifier warns once of the socket %s, which cannot be written to, and goes on",
    (socket) => {
      const { log, records } = logged();
      using notifier = new ServiceNotifier({ env: { NOTIFY_SOCKET: socket }, log });
      notifier.ready();
      notifier.status("serving");
      expect(records.map(({ level, message }) => ({ level, message }))).toEqual([
        { level: "WARN", message: "systemd cannot be notified" },
      ]);
    },
  );
});
