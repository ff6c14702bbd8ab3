export { joinOf, memberOf } from "./members.ts";
