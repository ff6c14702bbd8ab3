import { checkClientConfig } from "@daos/config";
import { placesOfCertificates } from "@daos/config/places";
import { expect, it } from "vitest";
import { defaultClientConfig } from "./default-config.ts";

it("defaultClientConfig() equals what @daos/config reads when the file is empty", () => {
  const cwd = process.cwd();
  const certificates = placesOfCertificates("client", { env: process.env, cwd });
  expect(defaultClientConfig()).toEqual(checkClientConfig("", { cwd, certificates }).config);
});
