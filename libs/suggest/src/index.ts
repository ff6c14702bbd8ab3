export { closest, editDistance, suggest } from "./suggest.ts";
