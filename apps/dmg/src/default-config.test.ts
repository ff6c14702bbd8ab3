import { checkClientConfig } from "@daos/config";
import { expect, it } from "vitest";
import { defaultClientConfig } from "./default-config.ts";

it("is what an empty file means", () => {
  expect(defaultClientConfig()).toEqual(checkClientConfig("", { cwd: process.cwd() }).config);
});
