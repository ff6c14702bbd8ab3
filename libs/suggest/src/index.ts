export { closest, suggest } from "./suggest.ts";
