#!/usr/bin/env bash
# etcd 3.4.23 (Debian 12): a comparison of the value of a missing key fails, whatever the comparison is.
#
# Guess: in a transaction, value("lock") != "mine" holds for a key that does not exist; a missing key has the empty value.
# Seen:  =, !=, < and > of VALUE all fail for it, = "" too. So "take the lock unless it is mine already" never takes a free lock. For
#        VERSION, CREATE and MOD the missing key counts as 0, and != does what it says.
# So:    we compare CREATE and MOD only, never VALUE.
set -euo pipefail
work=$(mktemp -d)
cd "$work"
for package in etcd-server etcd-client; do
  apt-get download "$package=3.4.23-4+b4" >/dev/null
  dpkg -x "${package}_3.4.23-4+b4_$(dpkg --print-architecture).deb" root
done
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=http://127.0.0.1:24379
root/usr/bin/etcd --data-dir data \
  --listen-client-urls "$ETCDCTL_ENDPOINTS" --advertise-client-urls "$ETCDCTL_ENDPOINTS" \
  --listen-peer-urls http://127.0.0.1:24380 --initial-advertise-peer-urls http://127.0.0.1:24380 \
  --initial-cluster default=http://127.0.0.1:24380 >etcd.log 2>&1 &
server=$!
trap 'kill $server; wait $server || true; rm -rf "$work"' EXIT
ctl() { timeout 20 root/usr/bin/etcdctl "$@" 2>&1; }
for _ in $(seq 100); do ctl endpoint health >/dev/null && break || sleep 0.1; done

ctl put full mine >/dev/null
changed=no
# The first line of a transaction's result is SUCCESS when the comparisons hold, else FAILURE.
check() {
  result=$(printf '%s\n\nget full\n\nget full\n\n' "$1" | ctl txn)
  result=${result%%$'\n'*}
  printf '%-26s %s\n' "$1" "$result"
  [ "$result" = "$2" ] || changed=yes
}
check 'value("full") = "mine"' SUCCESS
check 'value("full") != "mine"' FAILURE
check 'value("none") = "mine"' FAILURE
check 'value("none") != "mine"' FAILURE
check 'value("none") < "mine"' FAILURE
check 'value("none") > ""' FAILURE
check 'value("none") = ""' FAILURE
check 'mod("none") = "0"' SUCCESS
check 'mod("none") != "5"' SUCCESS
check 'create("none") < "1"' SUCCESS
check 'version("none") > "0"' FAILURE
[ $changed = no ] || { echo "changed"; exit 1; }
