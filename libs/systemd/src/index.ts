export { sendDatagram } from "./native.ts";
export { ServiceNotifier } from "./service-notifier.ts";
