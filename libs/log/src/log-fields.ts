/** What a log line is about: rank, instance, device, duration. Never secrets. */
export type LogFields = Readonly<Record<string, unknown>>;
