export { deposableLeader, followerOf, leaderOf } from "./leaders.ts";
export { joinOf, memberOf } from "./members.ts";
