#!/usr/bin/env bash
# util-linux 2.38.1 (Debian 12): blkid and wipefs, on one library, disagree on a drive whose first sector was cleared.
#
# Guess: a GPT is found by its headers, at both ends of a drive. So blkid --probe finds it after the first sector, or even the first
#        MiB, was overwritten, as it finds it when only one of the headers is lost; and wipefs lists what blkid finds.
# Seen:  without the MBR in sector 0 that protects it, a GPT is nothing for blkid: no output, and status 2, as for an empty drive,
#        although both headers and all entries are whole. wipefs lists both headers; after the first MiB is gone, the last one. With
#        that MBR, blkid finds the GPT by either header.
# So:    "blkid finds nothing" does not say that a drive was never partitioned, and a clear of the first MiB leaves a GPT that others
#        find. Both must be asked before a drive is erased.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download util-linux=2.38.1-5+deb12u3 fdisk=2.38.1-5+deb12u3 libblkid1=2.38.1-5+deb12u3 libfdisk1=2.38.1-5+deb12u3 \
  libsmartcols1=2.38.1-5+deb12u3 libreadline8 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(find root -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH
fail() { echo "changed: $1"; exit 1; }

# clear SECTOR COUNT: a drive of 64 MiB with a GPT, from which these sectors are cleared.
clear() {
  rm -f drive
  truncate -s 64M drive
  printf 'label: gpt\nsize=8M\n' | root/sbin/sfdisk --quiet drive
  dd if=/dev/zero of=drive bs=512 seek="$1" count="$2" conv=notrunc status=none
}
check() {
  status=0
  found=$(root/sbin/blkid --probe --output export drive) || status=$?
  found=$(sed -n 's/^PTTYPE=//p' <<<"$found")
  listed=$(root/sbin/wipefs --parsable drive | sed -n 's/^\(0x[0-9a-f]*\),.*,\([A-Za-z]*\)$/\2@\1/p' | paste -sd' ')
  echo "$1: blkid ends with $status and finds ${found:-nothing}; wipefs lists $listed"
  [ "$status $found $listed" = "$2" ] || fail "$1"
}
clear 0 0
check "whole" "0 gpt gpt@0x200 gpt@0x3fffe00 PMBR@0x1fe"
clear 1 1
check "without the first header" "0 gpt gpt@0x3fffe00 PMBR@0x1fe"
clear 0 1
check "without the first sector" "2  gpt@0x200 gpt@0x3fffe00"
clear 0 2048
check "without the first MiB" "2  gpt@0x3fffe00"
