import { expect, it } from "vitest";
import { serverFileManual, serverManual } from "./manual.ts";

it("serverManual() makes man/daos_server.8 from the commands", async () => {
  await expect(serverManual()).toMatchFileSnapshot("../man/daos_server.8");
});

it("serverFileManual() makes man/daos_server.yml.5 from the keys", async () => {
  await expect(serverFileManual()).toMatchFileSnapshot("../man/daos_server.yml.5");
});
