#!/usr/bin/env bash
# Prometheus 2.42.0 (Debian 12): a series that occurs twice in a page, with different values, is seen by nothing.
#
# Guess: "promtool check metrics" refuses the page. A server warns of samples with different values for one timestamp, and counts
#        them in prometheus_target_scrapes_sample_duplicate_timestamp_total; the last value wins.
# Seen:  promtool ends with 0. The server keeps the first value, logs no warning, and its counter of duplicates stays 0, although
#        scrape_samples_scraped counts both lines. The order of the labels makes no difference.
# So:    two devices whose metric lacks the label that tells them apart look like one healthy device. Our page comes from one registry of
#        prom-client, which has one value for each set of labels; a page that is put together from several needs a test.
set -euo pipefail
work=$(mktemp -d)
cd "$work"
apt-get download prometheus=2.42.0+ds-5+deb12u1 >/dev/null 2>&1
dpkg -x prometheus_*.deb root
printf '# HELP wear h\n# TYPE wear gauge\nwear{device="a",host="b"} 1\nwear{host="b",device="a"} 99\nlater 3\n' >page
fail() { echo "changed: $1"; exit 1; }
report=$(grep -v later page | root/usr/bin/promtool check metrics 2>&1) && [ -z "$report" ] || fail "promtool: $report"
echo "promtool check metrics: no problem"

python3 -c '
import http.server
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(open("page", "rb").read())
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", 24781), Page).serve_forever()' &
page=$!
cat >prometheus.yml <<'YML'
scrape_configs: [{job_name: page, scrape_interval: 1s, static_configs: [{targets: ["127.0.0.1:24781"]}]}]
YML
root/usr/bin/prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address=127.0.0.1:24782 >log 2>&1 &
server=$!
trap 'kill $page $server; wait || true; rm -rf "$work"' EXIT
get() { python3 -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())' "http://127.0.0.1:24782/$1" 2>/dev/null; }
value() { get "api/v1/query?query=$1" | sed -n 's/.*"value":\[[^,]*,"\([^"]*\)".*/\1/p'; }
for _ in $(seq 60); do [ -n "$(value later)" ] && break || sleep 0.5; done
duplicates=$(get metrics | sed -n 's/^prometheus_target_scrapes_sample_duplicate_timestamp_total //p')
warnings=$(grep -c level=warn log || true)
echo "wear: $(value wear), later: $(value later), lines: $(value scrape_samples_scraped), duplicates: $duplicates, warnings: $warnings"
[ "$(value wear) $(value later) $(value scrape_samples_scraped) $duplicates $warnings" = "1 3 3 0 0" ] || fail "the server"
