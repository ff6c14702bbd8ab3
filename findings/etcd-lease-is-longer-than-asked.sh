#!/usr/bin/env bash
# etcd 3.4.23 (Debian 12): --election-timeout sets the shortest lease; a shorter one is lengthened without an error.
#
# Guess: a lease of 3 s is granted with a TTL of 3 s, or refused.
# Seen:  the shortest TTL is one and a half election timeouts, rounded up: 2 s with the default of 1,000 ms, 8 s with
#        5,000 ms, which etcd's tuning guide suggests for slow networks. A grant of 3 s then succeeds with 8 s.
# So:    a setting of etcd delays a fail-over that relies on the end of a lease. A leader needs its own heartbeats to count its
# term, and must use the TTL in the answer for the lease.
set -euo pipefail
work=$(mktemp -d)
cd "$work"
for package in etcd-server etcd-client; do
  apt-get download "$package=3.4.23-4+b4" >/dev/null
  dpkg -x "${package}_3.4.23-4+b4_$(dpkg --print-architecture).deb" root
done
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=http://127.0.0.1:24379
server=
trap '[ -z "$server" ] || kill $server; wait; rm -rf "$work"' EXIT
ctl() { timeout 20 root/usr/bin/etcdctl "$@" 2>&1; }

for expected in "1000 2 3 10" "5000 8 8 10"; do
  read -r timeout one three ten <<<"$expected"
  root/usr/bin/etcd --data-dir "data$timeout" --election-timeout "$timeout" --heartbeat-interval 100 \
    --listen-client-urls "$ETCDCTL_ENDPOINTS" --advertise-client-urls "$ETCDCTL_ENDPOINTS" \
    --listen-peer-urls http://127.0.0.1:24380 --initial-advertise-peer-urls http://127.0.0.1:24380 \
    --initial-cluster default=http://127.0.0.1:24380 >etcd.log 2>&1 &
  server=$!
  for _ in $(seq 200); do ctl endpoint health >/dev/null && break || sleep 0.1; done
  for pair in "1 $one" "3 $three" "10 $ten"; do
    read -r asked ttl <<<"$pair"
    granted=$(ctl lease grant "$asked")
    echo "election timeout $timeout ms, $asked s asked: $granted"
    [[ $granted == *"TTL(${ttl}s)" ]] || { echo "changed: expected $ttl s"; exit 1; }
  done
  kill $server
  wait $server || true
  server=
done
