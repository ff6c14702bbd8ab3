export { deposableLeader, followerOf, leaderOf } from "./leaders.ts";
