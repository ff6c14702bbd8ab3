import type { Member } from "@daos/member-store";
import { memberOf } from "@daos/membership/testing";
import { systemClock } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { MembersView } from "./members-view.ts";

const { signal } = new AbortController();

/** A view whose store answers with what `read` gives, at a time that the test sets. */
function viewOf(read: () => Promise<readonly Member[]>) {
  let time = 0;
  let reads = 0;
  const view = new MembersView({
    read: async () => {
      reads++;
      return read();
    },
    clock: { ...systemClock, now: () => time },
  });
  return {
    view,
    reads: () => reads,
    pass: (ms: number) => {
      time += ms;
    },
  };
}

describe("MembersView", () => {
  it("reads once for callers at the same time and for a second after", async () => {
    const { view, reads, pass } = viewOf(async () => [memberOf(0)]);
    const found = await Promise.all([view.get({ signal }), view.get({ signal })]);
    expect(found.map((members) => members.length)).toEqual([1, 1]);
    pass(999);
    await view.get({ signal });
    expect(reads()).toBe(1);
    pass(1);
    await view.get({ signal });
    expect(reads()).toBe(2);
  });

  it("returns the last result while the store cannot be read", async () => {
    let down = false;
    const { view, pass } = viewOf(async () => {
      if (down) throw new Error("etcd is down");
      return [memberOf(3)];
    });
    await view.get({ signal });
    down = true;
    pass(3_600_000);
    expect(await view.get({ signal })).toMatchObject([{ rank: 3 }]);
  });

  it("fails as the store does when nothing has been read", async () => {
    const { view } = viewOf(() => Promise.reject(new Error("etcd is down")));
    await expect(view.get({ signal })).rejects.toThrow("etcd is down");
  });

  it("releases a caller whose signal aborts, and reads on for the others", async () => {
    const answer = Promise.withResolvers<readonly Member[]>();
    const { view } = viewOf(() => answer.promise);
    const caller = new AbortController();
    const [gone, stays] = [view.get(caller), view.get({ signal })];
    caller.abort(new Error("the client has hung up"));
    await expect(gone).rejects.toThrow("hung up");
    answer.resolve([memberOf(0)]);
    expect(await stays).toHaveLength(1);
  });
});
