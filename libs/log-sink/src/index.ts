export { logEngineOutput } from "./log-engine-output.ts";
export { openLogSink } from "./open-log-sink.ts";
