export { reflectionService } from "./reflection-service.ts";
