export { sendDatagram, trimMemory } from "./native.ts";
export { ServiceNotifier } from "./service-notifier.ts";
