import { checkClientConfig } from "@daos/config";
import { expect, it } from "vitest";
import { defaultClientConfig } from "./default-config.ts";

it("defaultClientConfig() equals what @daos/config reads when the file is empty", () => {
  expect(defaultClientConfig()).toEqual(checkClientConfig("", { cwd: process.cwd() }).config);
});
