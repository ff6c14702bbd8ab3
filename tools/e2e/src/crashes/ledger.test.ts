import { expect, it } from "vitest";
import { Ledger, type SystemView } from "./ledger.ts";

const joined = { rank: 0, uuid: "a", state: "joined" };

it.each<readonly [string, (ledger: Ledger) => void, SystemView, readonly string[]]>([
  ["nothing when all is there", (ledger) => ledger.created("p"), { pools: ["p"], members: [joined] }, []],
  ["a lost pool", (ledger) => ledger.created("p"), { pools: [], members: [joined] }, ["pool p is lost"]],
  [
    "a pool that is there again",
    (ledger) => {
      ledger.created("p");
      ledger.destroyed("p");
    },
    { pools: ["p"], members: [joined] },
    ["pool p is there again"],
  ],
  ["a pool from nowhere", () => {}, { pools: ["p"], members: [joined] }, ["pool p was never made"]],
  [
    "nothing of a pool that was being made",
    (ledger) => ledger.creating(),
    { pools: ["p"], members: [joined] },
    [],
  ],
  [
    "nothing of a pool that was being destroyed",
    (ledger) => {
      ledger.created("p");
      ledger.destroying("p");
    },
    { pools: [], members: [joined] },
    [],
  ],
  ["a rank that is forgotten", () => {}, { pools: [], members: [] }, ["rank 0 is forgotten"]],
  [
    "a rank with another identity",
    () => {},
    { pools: [], members: [{ ...joined, uuid: "b" }] },
    ["rank 0 was a and is b"],
  ],
  [
    "an exclusion that is lost",
    (ledger) => ledger.changed(0, true),
    { pools: [], members: [joined] },
    ["rank 0 is joined, and was excluded"],
  ],
  [
    "an exclusion from nowhere",
    () => {},
    { pools: [], members: [{ ...joined, state: "excluded" }] },
    ["rank 0 is excluded, and was not excluded"],
  ],
  [
    "nothing of an exclusion that was under way",
    (ledger) => ledger.changing(0),
    { pools: [], members: [{ ...joined, state: "excluded" }] },
    [],
  ],
])("Ledger.compare() finds %s", (_name, happen, view, problems) => {
  const ledger = new Ledger();
  expect(ledger.compare({ pools: [], members: [joined] })).toEqual([]);
  happen(ledger);
  expect(ledger.compare(view)).toEqual(problems);
});
