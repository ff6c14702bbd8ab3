#!/usr/bin/env bash
# ndctl 76.1 (Debian 12): what is done to a module or a region that does not exist succeeds; to a namespace it fails.
#
# Guess: "ndctl sanitize-dimm nmem999" ends with an error, because there is no such module, as disable-namespace does for a namespace
#        that does not exist.
# Seen:  every verb for modules, and those for regions, end with 0. Only the count on stderr says that nothing was done: "sanitized 0
#        nmem.", "passphrase enabled for 0 nmem.", "successfully verified 0 nmem label". The verbs for namespaces end with 250, but
#        "all" in a region that does not exist is 0 again, and so is a list. create-namespace ends with 237.
# So:    a script that erases modules by name must read the count. Our prepare and reset use the verbs for namespaces alone, with names
#        from ndctl list.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download ndctl=76.1-1 libndctl6=76.1-1 libdaxctl1=76.1-1 libiniparser1 libjson-c5 libkmod2 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(find root -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH
changed=no
check() {
  expected=$1
  shift
  status=0
  text=$(root/usr/bin/ndctl "$@" 2>&1) || status=$?
  echo "$status: ndctl $*: $(tail -n 1 <<<"$text")"
  [ "$status" = "$expected" ] || changed=yes
}
# No host has so many modules.
for verb in disable-dimm enable-dimm zero-labels read-labels init-labels check-labels sanitize-dimm freeze-security; do
  check 0 $verb nmem999
done
for verb in disable-region enable-region; do check 0 $verb region999; done
check 0 destroy-namespace --region=region999 all
check 0 list --region=region999
check 237 create-namespace --region=region999 --mode=fsdax
for verb in disable-namespace enable-namespace destroy-namespace check-namespace clear-errors; do
  check 250 $verb namespace999.0
done
[ $changed = no ] || { echo "changed"; exit 1; }
