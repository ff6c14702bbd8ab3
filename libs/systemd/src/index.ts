export { ServiceNotifier } from "./service-notifier.ts";
