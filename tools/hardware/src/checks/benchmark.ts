import { strict as assert } from "node:assert";
import { BdevProvider } from "@daos/bdev";
import { addressOf, check, log, runner, until, write } from "./tools.ts";

check("benchmark: format of eight slow controllers", async (context) => {
  await write("/sys/bus/pci/rescan", "1");
  const slow: string[] = [];
  for (let index = 0; index < 8; index += 1) {
    await until(`SLOW${index}`, async () =>
      addressOf(`SLOW${index}`).then(
        (address) => slow.push(address) > 0,
        () => false,
      ),
    );
  }
  const bdev = new BdevProvider({ runner, log });
  const ended = new Map<string, number>();
  let remaining: number | undefined;
  const begin = performance.now();
  const results = await bdev.format(
    { class: "nvme", list: slow, number: 0, sizeGB: 0 },
    {
      onProgress: ({ device, step, elapsedMs, remainingMs }) => {
        if (step === "done") ended.set(device, elapsedMs);
        remaining = remainingMs ?? remaining;
      },
    },
  );
  const total = performance.now() - begin;
  assert.deepEqual(
    results.map(({ fault }) => fault?.message),
    slow.map(() => undefined),
  );
  const slowest = Math.max(...ended.values());
  const sum = [...ended.values()].reduce((a, b) => a + b, 0);
  context.diagnostic(
    `all eight ${total.toFixed(0)} ms, slowest ${slowest} ms, ratio ${(total / slowest).toFixed(2)}, one after the other ${sum} ms`,
  );
  assert.equal(remaining, 0);
  assert.ok(total / slowest <= 1.3, `ratio ${total / slowest}`);
});
