#!/usr/bin/env bash
# etcd 3.4.23 (Debian 12): a server in its NOSPACE alarm is reported healthy, and space alone does not end the alarm.
#
# Guess: `etcdctl endpoint health` fails while writes are refused, and writes succeed again after compaction and
# defragmentation.
# Seen:  health says "is healthy: successfully committed proposal" and exits 0, while every put is refused with
#        "etcdserver: mvcc: database space exceeded". Reads and deletes still work. After compact and defrag puts are still
#        refused; only `alarm disarm` permits them again.
# So:    advice to run `endpoint health` misleads an administrator. It must name `alarm list`, and the
#        four steps compact, defrag, alarm disarm, and a larger --quota-backend-bytes.
set -euo pipefail
work=$(mktemp -d)
cd "$work"
for package in etcd-server etcd-client; do
  apt-get download "$package=3.4.23-4+b4" >/dev/null
  dpkg -x "${package}_3.4.23-4+b4_$(dpkg --print-architecture).deb" root
done
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=http://127.0.0.1:24379
root/usr/bin/etcd --data-dir data --quota-backend-bytes 65536 \
  --listen-client-urls "$ETCDCTL_ENDPOINTS" --advertise-client-urls "$ETCDCTL_ENDPOINTS" \
  --listen-peer-urls http://127.0.0.1:24380 --initial-advertise-peer-urls http://127.0.0.1:24380 \
  --initial-cluster default=http://127.0.0.1:24380 >etcd.log 2>&1 &
server=$!
trap 'kill $server; wait $server || true; rm -rf "$work"' EXIT
ctl() { timeout 20 root/usr/bin/etcdctl "$@" 2>&1; }
fail() { echo "changed: $1"; exit 1; }
refused() { ! ctl put "$1" "$2" >put.txt && grep -q "database space exceeded" put.txt; }

for _ in $(seq 100); do ctl endpoint health >/dev/null && break || sleep 0.1; done
value=$(head -c 20000 /dev/zero | tr '\0' a)
for number in $(seq 20); do refused "key$number" "$value" && break; done
ctl alarm list | grep "alarm:NOSPACE" || fail "no alarm after 20 values of 20 kB with a quota of 64 KiB"
ctl endpoint health | grep "is healthy" || fail "health is not reported any more during the alarm"
[ "$(ctl get key1 --print-value-only | wc -c)" -gt 20000 ] || fail "reads are refused"
[ "$(ctl del key1)" = 1 ] || fail "deletes are refused"
revision=$(ctl endpoint status --write-out=json | grep -o '"revision":[0-9]*' | head -n 1 | cut -d: -f2)
ctl compact "$revision" && ctl defrag
refused small y || fail "compact and defrag end the alarm"
echo "put after compact and defrag: $(tail -n 1 put.txt)"
ctl alarm disarm
[ "$(ctl put small y)" = OK ] || fail "a put is refused after alarm disarm"
echo "as before: healthy during the alarm, and refused until alarm disarm"
