import { whyNotSelected } from "@daos/bdev";
import { checkServerConfig } from "@daos/config";
import { describe, expect, it } from "vitest";
import { configuredControllers, configuredHugepages } from "./configured-devices.ts";

const load = (text: string) => checkServerConfig(text, { path: "s.yml", cwd: "/" }).draft;

describe("configured devices", () => {
  it("configuredControllers() and configuredHugepages() return the values of the configuration (DAOS pull requests 10022, 14067, 17612)", () => {
    const config = load(
      'bdev_exclude: ["0000:8A:00.0"]\nbdev_include: ["0000:81:00.0", "0000:8A:00.0"]\nnr_hugepages: 96\n',
    );
    const why = (address: string) => whyNotSelected(address, configuredControllers(config));
    expect(why("0000:81:00.0")).toBeUndefined();
    expect(why("0000:82:00.0")).toBe("it is not in bdev_include");
    expect(why("0000:8a:00.0")).toBe("it is in bdev_exclude");
    expect(configuredHugepages(config)).toBe(96);
  });

  it("configuredControllers() and configuredHugepages() return undefined without a configuration", () => {
    expect(whyNotSelected("0000:81:00.0", configuredControllers(undefined))).toBeUndefined();
    expect([configuredHugepages(undefined), configuredHugepages(load("nr_hugepages: 1024"))]).toEqual([
      undefined,
      undefined,
    ]);
  });
});
