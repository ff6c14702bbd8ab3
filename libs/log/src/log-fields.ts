/** The fields of a log line: rank, instance, device, duration. Never secrets. */
export type LogFields = Readonly<Record<string, unknown>>;
