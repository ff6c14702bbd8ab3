import type { Answer } from "./answer.ts";
import { wellDone } from "./answer.ts";
import { DmgCommand } from "./dmg-command.ts";

/** `dmg version`. */
export class VersionCommand extends DmgCommand {
  static override readonly summary = "Print dmg's version";
  static override readonly examples = [{ description: "The version", command: "<%= config.bin %> version" }];

  protected readonly what = "version";

  protected async answer(): Promise<Answer> {
    await this.parse(VersionCommand);
    const { version } = this.config;
    return wellDone({ name: "dmg", version }, () => `dmg version ${version}`);
  }
}
