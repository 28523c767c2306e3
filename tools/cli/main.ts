/**
 * The command line: which commands there are, help, and how a call ends.
 * Results go to standard output as JSON lines; a failure ends with one line
 * {"error":{…}} there, and exit code 1.
 */
import type { Command } from "./commands/command";
import { generate } from "./commands/generate";
import { importCommand } from "./commands/import";
import { logits } from "./commands/logits";
import { merge } from "./commands/merge";
import { quantize } from "./commands/quantize";
import { score } from "./commands/score";
import { sft } from "./commands/sft";
import { helpOf, Options, usage } from "./options";
import { errorLine, type Output } from "./output";

const COMMANDS: readonly Command[] = [logits, score, generate, sft, merge, quantize, importCommand];

const overview = () => `Ductus on the command line: the engine of the site, under Node.

    npm run -s ductus -- COMMAND [options]

${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`).join("\n")}

\`COMMAND --help\` describes one. Results are JSON lines on standard output, progress is told on
standard error. On failure the exit code is 1 and the last line on standard output is
{"error":{"code","message","nextStep","details"}}; nextStep and details may be absent. A
command that a signal ends says nothing more; only \`sft\` saves its state on SIGINT, and says so.
Paths are taken from the folder in which npm is called.
`;

/** @returns the exit code */
export async function main(args: readonly string[], output: Output): Promise<number> {
  try {
    const [name, ...rest] = args;
    const wantsHelp = (list: readonly string[]) => list.includes("--help") || list.includes("-h");
    if (name === undefined || name === "help" || name.startsWith("-")) {
      if (name === undefined || (name !== "help" && !wantsHelp([name]))) {
        throw usage(name === undefined ? "Which command?" : `“${name.slice(0, 80)}” stands where the command should.`, `Commands: ${COMMANDS.map((command) => command.name).join(", ")}. More: --help.`);
      }
      await output.write(overview());
      return 0;
    }
    const command = COMMANDS.find((one) => one.name === name);
    if (!command) throw usage(`There is no command “${name.slice(0, 80)}”.`, `Commands: ${COMMANDS.map((one) => one.name).join(", ")}. More: --help.`);
    if (wantsHelp(rest)) {
      await output.write(helpOf(command));
      return 0;
    }
    await command.run(Options.parse(command, rest), output);
    return 0;
  } catch (error) {
    const line = errorLine(error);
    output.progress(`ductus: ${line.error.message}${line.error.nextStep === undefined ? "" : ` ${line.error.nextStep}`}`);
    await output.line(line);
    return 1;
  }
}
