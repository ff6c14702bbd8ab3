import { expect, it } from "vitest";
import { adminManual } from "./manual.ts";

it("adminManual() makes man/daos_admin.8 from the commands", async () => {
  await expect(adminManual()).toMatchFileSnapshot("../man/daos_admin.8");
});
