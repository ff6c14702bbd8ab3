export { expirableLeader, followerOf, leaderOf } from "./leaders.ts";
