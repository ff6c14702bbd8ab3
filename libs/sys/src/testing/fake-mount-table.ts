import type { MountTable } from "../mount-table.ts";
import type { MountEntry } from "../mounts.ts";
import type { FakeCommandRunner } from "./fake-command-runner.ts";

/** A {@link MountTable} with the test's mounts. */
export class FakeMountTable implements MountTable {
  readonly entries: MountEntry[] = [];
  privileged: boolean;

  constructor(options: { readonly privileged: boolean }) {
    this.privileged = options.privileged;
  }

  mounted(mountPoint: string, source: string, fsType: string, options = "rw"): this {
    this.entries.push({ mountPoint, source, fsType, options });
    return this;
  }

  list(): Promise<readonly MountEntry[]> {
    return Promise.resolve([...this.entries]);
  }

  mayMount(): Promise<boolean> {
    return Promise.resolve(this.privileged);
  }

  /** Lets the runner's `mount -t TYPE [-o OPTIONS] SOURCE TARGET` and `umount TARGET` change this table. */
  answer(runner: FakeCommandRunner): void {
    runner.on("mount", (argv) => {
      const [target = "", source = ""] = argv.toReversed();
      const option = (name: string) => (argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined);
      this.mounted(target, source, option("-t") ?? "auto", option("-o") ?? "rw");
      return "";
    });
    runner.on("umount", (argv) => {
      const target = argv.at(-1);
      const index = this.entries.findLastIndex((entry) => entry.mountPoint === target);
      if (index < 0) return { exitCode: 32, stderr: `umount: ${target}: not mounted.\n` };
      this.entries.splice(index, 1);
      return "";
    });
  }
}
