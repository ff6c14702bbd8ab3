export { joinOf, memberOf, reportOf } from "./members.ts";
