import { readFileSync } from "node:fs";
import { Fault, FaultCode } from "@daos/fault";
import { expect, it } from "vitest";
import { EXIT_CONFIG, exitCodeOf } from "./exit-code-of.ts";

const UNIT = new URL(
  "../../../tools/workspace/package/debian/daos-server-ts.daos_server.service",
  import.meta.url,
);

it.each([
  ["a configuration that is not there", FaultCode.configNotFound, EXIT_CONFIG],
  ["an error of the configuration", FaultCode.configInvalid, EXIT_CONFIG],
  ["a configuration that cannot be read now", FaultCode.configUnreadable, undefined],
  ["a log directory that is not mounted yet", FaultCode.logFileUnusable, undefined],
  ["an interface without carrier", FaultCode.networkInterfaceUnusable, undefined],
  ["an interface whose driver is not loaded yet", FaultCode.networkUnknownInterface, undefined],
  ["a device that is not there yet", FaultCode.scmMissingDevice, undefined],
])("exitCodeOf() of %s", (_, code, expected) => {
  expect(exitCodeOf(new Fault({ domain: "config", code, description: "", resolution: "" }))).toBe(expected);
});

it("the unit starts the server again without limit after every other exit code", () => {
  const unit = readFileSync(UNIT, "utf8").split("\n");
  expect(unit).toContain("Restart=on-failure");
  expect(unit).toContain("StartLimitIntervalSec=0");
  expect(unit).toContain(`RestartPreventExitStatus=2 ${EXIT_CONFIG}`);
  const pause = unit.find((line) => line.startsWith("RestartSec="))?.split("=")[1];
  expect(Number(pause)).toBeLessThanOrEqual(10);
});
