#!/usr/bin/env bash
# libfabric 1.17.0 (Debian 12): for the providers without hardware, fi_info -d and FI_TCP_IFACE do not say whether an interface is usable.
#
# Guess: "fi_info -p tcp -d ib0" on a host without ib0 ends with 61 (no data), as it does for a provider that does not exist; with
#        FI_TCP_IFACE=ib0 there is no interface, or at least a warning.
# Seen:  tcp, tcp;ofi_rxm, sockets, udp and shm ignore the name of a domain (-d) and of a fabric (-f): fi_info lists all that there
#        are, and ends with 0. FI_TCP_IFACE=lo leaves only lo; the name of an interface that is not there leaves all of them, and
#        nothing is said.
# So:    a misspelled interface passes both checks. We list all once, and look for the provider and the domain ourselves
#        (dmg and daos_server network scan).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download libfabric-bin=1.17.0-3 libfabric1=1.17.0-3 librdmacm1 libibverbs1 ibverbs-providers libpsm2-2 \
  libpsm-infinipath1 libnuma1 libnl-3-200 libnl-route-3-200 libatomic1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
# This package leaves its link to the alternatives system.
ln -s "$(find "$work/root" -name 'libpsm_infinipath.so.1.*')" root/usr/lib/libpsm_infinipath.so.1
LD_LIBRARY_PATH=$(find root -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH
fail() { echo "changed: $1"; exit 1; }
domains() { root/usr/bin/fi_info "$@" | sed -n 's/^ *domain: //p' | sort -u | tr '\n' ' '; }

status=0
root/usr/bin/fi_info -p nosuch >/dev/null 2>&1 || status=$?
echo "-p nosuch: ends with $status"
[ "$status" = 61 ] || fail "a provider that does not exist"
for provider in tcp 'tcp;ofi_rxm' sockets udp shm; do
  all=$(domains -p "$provider")
  for filter in "-d nosuch" "-f nosuch"; do
    # shellcheck disable=SC2086
    seen=$(domains -p "$provider" $filter) || fail "$provider $filter"
    [ -n "$seen" ] && [ "$seen" = "$all" ] || fail "$provider $filter: $seen"
    echo "-p $provider $filter: ends with 0, as without it"
  done
done
all=$(domains -p tcp)
[ "$(FI_TCP_IFACE=lo domains -p tcp)" = "lo " ] || fail "FI_TCP_IFACE=lo"
[ "$(FI_TCP_IFACE=nosuch domains -p tcp 2>messages)" = "$all" ] && [ ! -s messages ] || fail "FI_TCP_IFACE=nosuch"
echo "FI_TCP_IFACE=nosuch: as without it, without a message"
