import { expect, it } from "vitest";
import { ChangeHistory, type SystemView } from "./change-history.ts";

const joined = { rank: 0, uuid: "a", state: "joined" };

it.each<readonly [string, (history: ChangeHistory) => void, SystemView, readonly string[]]>([
  [
    "nothing when the state matches",
    (history) => history.created("p"),
    { pools: ["p"], members: [joined] },
    [],
  ],
  ["a lost pool", (history) => history.created("p"), { pools: [], members: [joined] }, ["pool p is lost"]],
  [
    "a destroyed pool that exists again",
    (history) => {
      history.created("p");
      history.destroyed("p");
    },
    { pools: ["p"], members: [joined] },
    ["pool p is there again"],
  ],
  ["an unknown pool", () => {}, { pools: ["p"], members: [joined] }, ["pool p was never made"]],
  [
    "nothing about a pool whose creation was in progress",
    (history) => history.creating(),
    { pools: ["p"], members: [joined] },
    [],
  ],
  [
    "nothing about a pool whose destruction was in progress",
    (history) => {
      history.created("p");
      history.destroying("p");
    },
    { pools: [], members: [joined] },
    [],
  ],
  ["a missing rank", () => {}, { pools: [], members: [] }, ["rank 0 is forgotten"]],
  [
    "a rank with another identity",
    () => {},
    { pools: [], members: [{ ...joined, uuid: "b" }] },
    ["rank 0 was a and is b"],
  ],
  [
    "a lost exclusion",
    (history) => history.changed(0, true),
    { pools: [], members: [joined] },
    ["rank 0 is joined, and was excluded"],
  ],
  [
    "an unexpected exclusion",
    () => {},
    { pools: [], members: [{ ...joined, state: "excluded" }] },
    ["rank 0 is excluded, and was not excluded"],
  ],
  [
    "nothing about an exclusion that was in progress",
    (history) => history.changing(0),
    { pools: [], members: [{ ...joined, state: "excluded" }] },
    [],
  ],
])("ChangeHistory.compare() reports %s", (_name, happen, view, problems) => {
  const history = new ChangeHistory();
  expect(history.compare({ pools: [], members: [joined] })).toEqual([]);
  happen(history);
  expect(history.compare(view)).toEqual(problems);
});
