import { expect, it } from "vitest";
import { checkServerConfig } from "./check-server.ts";
import { describeConfig } from "./describe-config.ts";
import { toServerFile } from "./render.ts";

const FILE = `name: daos_server
provider: ofi+sockets
port: 10002
access_points: ["node1:10002"]
system_db: {backend: etcd, endpoints: ["http://127.0.0.1:2379"]}
bdev_exclude: ["0000:83:00.0"]
servers:
  - targets: 4
    fabric_iface: eth0
    env_vars: ["DAOS_MD_CAP=1024", "TOKEN=a=secret\\nof two lines", "BARE="]
    scm_mount: /mnt/daos0
    scm_class: ram
    scm_size: 4
  - targets: 4
    fabric_iface: eth1
    scm_mount: /mnt/daos1
    scm_class: dcpm
    scm_list: [/dev/pmem1]
`;

const { config, problems } = checkServerConfig(FILE, { path: "/etc/daos/daos_server.yml", cwd: "/" });
if (config === undefined) throw new Error(JSON.stringify(problems));
const keys = new Map(describeConfig(config).map((key) => [key.name, key]));

it.each([
  ["port", "10002", "10001"],
  ["access_points", '["node1:10002"]', '["localhost:10001"]'],
  ["system_db.backend", "etcd", "embedded"],
  ["bdev_exclude", '["0000:83:00.0"]', "[]"],
  ["servers[0].scm_size", "4", ""],
  ["servers[1].scm_list", '["/dev/pmem1"]', ""],
])("describeConfig() shows %s in force and its default", (name, value, usual) => {
  expect(keys.get(name)).toMatchObject({ value, default: usual });
});

it("describeConfig() has every key of the file that has a value, each with its explanation", () => {
  const file = toServerFile(config);
  const set = Object.entries(file).filter(([, value]) => value !== undefined && typeof value !== "object");
  expect(set.filter(([name]) => !keys.has(name))).toEqual([]);
  for (const { name, description, allowed } of keys.values())
    expect([name, description === "" || allowed === ""]).toEqual([name, false]);
});

it("describeConfig() does not show the values of an engine's environment", () => {
  expect(keys.get("servers[0].env_vars")?.value).toBe('["DAOS_MD_CAP=...", "TOKEN=...", "BARE=..."]');
  expect(JSON.stringify([...keys.values()])).not.toMatch(/secret|two lines/);
});
