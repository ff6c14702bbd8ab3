import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { SqliteMemberStore } from "./sqlite-member-store.ts";
import { describeMemberStore } from "./testing/member-store-contract.ts";

const directory = mkdtempSync(join(tmpdir(), "daos-members-"));
afterAll(() => rmSync(directory, { recursive: true }));

let systems = 0;
describeMemberStore("SqliteMemberStore", async () => {
  const path = join(directory, `${systems++}.db`);
  return async () => new SqliteMemberStore(path);
});
