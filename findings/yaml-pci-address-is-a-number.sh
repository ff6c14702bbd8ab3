#!/usr/bin/env bash
# PyYAML 6.0 (Debian 12; the reader of Ansible) and npm's yaml 2.9.0 in its 1.1 mode: a PCI address can be a number.
#
# Guess: 0000:41:00.0, written without quotes in a bdev_list, is text for every YAML reader: it has two colons.
# Seen:  YAML 1.1 has numbers in base 60. 0000:41:00.0 is 0*3600 + 41*60 + 0.0 = 2460, and 41:00.1 is 2460.1. Buses above
#        59 (0000:81:00.0) and those with a letter (0000:5d:00.0) stay text, so a file can work for one host and not for
#        the next. Written back by PyYAML, the address is lost: 2460.0. In its 1.2 mode npm's yaml reads text.
# So:    our files quote every text, and our reader does not accept base 60, like release 0.8.0's yaml.v2.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download python3-yaml=6.0-3+b2 >/dev/null
dpkg -x python3-yaml_*.deb root
npm install --silent --prefix "$work" yaml@2.9.0 >/dev/null
fail() { echo "changed: $1"; exit 1; }

cat >list.yml <<'YAML'
bdev_list: [0000:41:00.0, 0000:81:00.0, 0000:5d:00.0, 41:00.1]
YAML
python=$(PYTHONPATH=root/usr/lib/python3/dist-packages python3 -c '
import yaml
print(yaml.__version__, yaml.safe_dump(yaml.safe_load(open("list.yml")), default_flow_style=True))')
echo "PyYAML: $python"
[[ $python == "6.0 {bdev_list: [2460.0, '0000:81:00.0', '0000:5d:00.0', 2460.1]}"* ]] || fail "PyYAML"
for version in 1.1 1.2; do
  read=$(node --input-type=module -e '
import { readFileSync } from "node:fs";
import { parse } from "yaml";
console.log(JSON.stringify(parse(readFileSync("list.yml", "utf8"), { version: process.argv[1] }).bdev_list));' "$version")
  echo "yaml 2.9.0 as YAML $version: $read"
  [ "$version" = 1.1 ] && expected='[2460,"0000:81:00.0","0000:5d:00.0",2460.1]' ||
    expected='["0000:41:00.0","0000:81:00.0","0000:5d:00.0","41:00.1"]'
  [ "$read" = "$expected" ] || fail "yaml as YAML $version"
done
