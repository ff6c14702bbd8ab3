// `npm test`: sets the workspace up if it is not, then checks everything: formatting, lint and layers, types, the
// generated code, unit tests, and the end-to-end tests on real processes.
import { arch } from "node:os";
import { ensureCompiler, ensureDebianPackages, ensureDependencies, fail, runNx } from "./prepare.mjs";

const LIBRARIES = `/usr/lib/${arch() === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;

/** What the tests drive besides our own programs. */
const PACKAGES = {
  python3: "python3-minimal",
  setpriv: "util-linux",
  "mkfs.ext4": "e2fsprogs",
  mount: "mount",
  openssl: "openssl",
  script: "bsdutils",
  zsh: "zsh",
  fish: "fish",
  etcd: "etcd-server",
  [`${LIBRARIES}/faketime/libfaketimeMT.so.1`]: "libfaketime",
};

ensureDependencies();
ensureCompiler();
ensureDebianPackages(PACKAGES);
const options = process.argv.slice(2);
if (!runNx(["run-many", "-t", "check-generated,lint,build,test", ...options], { quiet: false })) {
  fail("npm test: something failed, see above.");
}
