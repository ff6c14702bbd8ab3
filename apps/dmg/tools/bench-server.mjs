// Fake DAOS servers for bench-cli.mjs and bundle.mjs, without and with certificates (P-256). They answer system member-query until
// this is killed. It prints one line of JSON: both ports, dmg's configurations for them, and the certificates of the second.
import { FakeServer } from "@daos/control-client/testing";
import { silentLogger } from "@daos/log";
import { createGrpcServer } from "@daos/security";
import { TestAuthority, TestCertificateFiles } from "@daos/security/testing";

const members = [{ rank: 0, uuid: "7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10", addr: "127.0.0.1:10001" }];
const calls = { ctl: { systemMemberQuery: () => ({ members }) } };
const plain = await FakeServer.start(calls);

const files = new TestCertificateFiles();
process.once("SIGTERM", () => {
  files[Symbol.dispose]();
  process.exit();
});
const authority = new TestAuthority();
const transport = files.transport("server", authority.pem, authority.issue("server"));
const secure = await FakeServer.start(
  calls,
  async (handler) => (await createGrpcServer({ transport, log: silentLogger, handler })).server,
);
const { caCert, cert, key } = files.transport("admin", authority.pem, authority.issue("admin"));
/** @param {boolean} insecure */
const configuration = (insecure) => `name: daos_server
access_points: ["localhost"]
port: 10001
transport_config:
  allow_insecure: ${insecure}
  ca_cert: ${caCert}
  cert: ${cert}
  key: ${key}
`;
process.stdout.write(
  `${JSON.stringify({
    plain: plain.host.port,
    plainConfig: files.write("plain.yml", configuration(true)),
    secure: secure.host.port,
    config: files.write("daos.yml", configuration(false)),
    certificates: { caCert, cert, key },
  })}\n`,
);
