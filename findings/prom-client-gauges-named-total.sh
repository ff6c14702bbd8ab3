#!/usr/bin/env bash
# prom-client 15.1.3 and promtool 2.42.0 (Debian 12): three of the default metrics are gauges with the name of a counter.
#
# Guess: the metrics of collectDefaultMetrics() in the usual Prometheus library for Node.js pass "promtool check metrics".
# Seen:  nodejs_active_handles_total, nodejs_active_requests_total and nodejs_active_resources_total have TYPE gauge, and
# promtool ends with 3 for them: "_total" is for counters. Prometheus accepts them. Code that chooses rate() by the suffix gets
# wrong results, because they increase and decrease. All other default metrics pass.
# So:    we remove these three. nodejs_active_handles and the others, without the suffix, have the same values by type.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download prometheus=2.42.0+ds-5+deb12u1 >/dev/null
dpkg -x prometheus_*.deb root
npm install --silent --prefix "$work" prom-client@15.1.3 >/dev/null
node --input-type=module -e '
import client from "prom-client";
client.collectDefaultMetrics();
process.stdout.write(await client.register.metrics());' >page
grep '^# TYPE nodejs_active_.*_total' page
status=0
report=$(root/usr/bin/promtool check metrics <page 2>&1) || status=$?
echo "promtool ends with $status:"
echo "$report"
expected=$(for kind in handles requests resources; do
  echo "nodejs_active_${kind}_total non-counter metrics should not have \"_total\" suffix"
done)
[ "$status" = 3 ] && [ "$report" = "$expected" ] || { echo "changed"; exit 1; }
