import { expect, it } from "vitest";
import { ChangeHistory, type SystemView } from "./change-history.ts";

const joined = { rank: 0, uuid: "a", state: "joined" };

it.each<readonly [string, (history: ChangeHistory) => void, SystemView, readonly string[]]>([
  ["nothing when all is there", (history) => history.created("p"), { pools: ["p"], members: [joined] }, []],
  ["a lost pool", (history) => history.created("p"), { pools: [], members: [joined] }, ["pool p is lost"]],
  [
    "a pool that is there again",
    (history) => {
      history.created("p");
      history.destroyed("p");
    },
    { pools: ["p"], members: [joined] },
    ["pool p is there again"],
  ],
  ["a pool from nowhere", () => {}, { pools: ["p"], members: [joined] }, ["pool p was never made"]],
  [
    "nothing of a pool that was being made",
    (history) => history.creating(),
    { pools: ["p"], members: [joined] },
    [],
  ],
  [
    "nothing of a pool that was being destroyed",
    (history) => {
      history.created("p");
      history.destroying("p");
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
    (history) => history.changed(0, true),
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
    (history) => history.changing(0),
    { pools: [], members: [{ ...joined, state: "excluded" }] },
    [],
  ],
])("ChangeHistory.compare() finds %s", (_name, happen, view, problems) => {
  const history = new ChangeHistory();
  expect(history.compare({ pools: [], members: [joined] })).toEqual([]);
  happen(history);
  expect(history.compare(view)).toEqual(problems);
});
