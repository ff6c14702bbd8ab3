import { create } from "@bufbuild/protobuf";
import { ctl, mgmt } from "@daos/proto";
import { expect, it } from "vitest";
import { outcomeOf } from "./outcome-of.ts";

const state = { status: ctl.ResponseStatus.CTL_ERR_SCM, error: "cannot mount /mnt/daos", info: "look" };
const results = {
  mrets: [
    { mntpoint: "/mnt/daos", state },
    { mntpoint: "/mnt/daos1", state: {} },
  ],
};

it.each([
  ["a pool", create(mgmt.PoolCreateRespSchema, {}), { outcome: "OK", failed: 0 }],
  [
    "a status of the engine",
    create(mgmt.PoolCreateRespSchema, { status: -1007 }),
    { outcome: "DER_NOSPACE", failed: 0 },
  ],
  [
    "ranks of which one failed",
    create(ctl.SystemActionRespSchema, {
      results: [{ rank: 0 }, { rank: 1, fault: { description: "stop rank 1: no answer" } }],
    }),
    { outcome: "PARTIAL", reason: "stop rank 1: no answer", failed: 1 },
  ],
  [
    "ranks that are not members",
    create(ctl.SystemActionRespSchema, { missingRanks: [7, 8] }),
    { outcome: "NOT_FOUND", reason: "not members: nothing was done", failed: 2 },
  ],
  [
    "a stop in the form of release 0.8.0",
    create(ctl.SystemStopRespSchema, { results: [{ id: "a/0", errored: true, msg: "no answer" }] }),
    { outcome: "FAILED", reason: "no answer", failed: 1 },
  ],
  [
    "a format of which one mount failed",
    create(ctl.StorageFormatRespSchema, results),
    { outcome: "PARTIAL", reason: "cannot mount /mnt/daos", failed: 1 },
  ],
  [
    "the last message of a format whose progress is shown",
    create(ctl.StorageFormatEventSchema, {
      event: { case: "results", value: create(ctl.StorageFormatRespSchema, results) },
    }),
    { outcome: "PARTIAL", reason: "cannot mount /mnt/daos", failed: 1 },
  ],
  [
    "a preparation that failed for SCM",
    create(ctl.StoragePrepareRespSchema, { scm: { state } }),
    { outcome: "FAILED", reason: "cannot mount /mnt/daos", failed: 1 },
  ],
])("outcomeOf() reads %s", (_, message, expected) => {
  expect(outcomeOf(message)).toEqual(expected);
});
