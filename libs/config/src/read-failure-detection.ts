import type { Report } from "./report.ts";
import {
  DEFAULT_LEASE_SECONDS,
  DEFAULT_OVERDUE_AFTER_SECONDS,
  DEFAULT_REPORT_INTERVAL_SECONDS,
  type FailureDetectionFile,
} from "./server-schema.ts";
import type { FailureDetectionConfig } from "./types.ts";

/** Minimum number of reports that must be due before a host is overdue: one may come late. */
const MIN_REPORTS = 2;

/** Reads `failure_detection`; times that contradict each other are reported. */
export function readFailureDetection(file: FailureDetectionFile, report: Report): FailureDetectionConfig {
  const interval = file.report_interval ?? DEFAULT_REPORT_INTERVAL_SECONDS;
  const overdueAfter = file.overdue_after ?? DEFAULT_OVERDUE_AFTER_SECONDS;
  if (overdueAfter <= MIN_REPORTS * interval) {
    const key = file.overdue_after === undefined ? "report_interval" : "overdue_after";
    report(
      "error",
      `failure_detection.${key}`,
      `a host that reports every ${interval} s would be overdue after ${overdueAfter} s`,
      "overdue_after longer than two times report_interval",
    );
  }
  return {
    leaseSeconds: file.lease_duration ?? DEFAULT_LEASE_SECONDS,
    reportIntervalMs: interval * 1000,
    overdueAfterMs: overdueAfter * 1000,
  };
}
