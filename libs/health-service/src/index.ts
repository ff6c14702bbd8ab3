export { healthService } from "./health-service.ts";
