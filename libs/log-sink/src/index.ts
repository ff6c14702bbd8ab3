export { faultLogFile } from "./faults.ts";
export { isJournal } from "./journal.ts";
export { type EngineOutput, logEngineOutput } from "./log-engine-output.ts";
export { type LogSinkOptions, type OpenLogSink, openLogSink } from "./open-log-sink.ts";
