export { socketHelper } from "./socket-helper.ts";
