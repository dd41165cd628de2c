import { Command, CommanderError } from "commander";
import { VERSION } from "../app/version.ts";
import { addSettings, effectiveSettings, readConfig } from "../config/config.ts";
import type { CommandName } from "../config/settings.ts";
import { addExplainOptions } from "./explain-options.ts";
import { addPatchOptions } from "./patch-options.ts";
import { addRenderOptions } from "./render-options.ts";
import { addValidateOptions } from "./validate-options.ts";

/** Runs the command that `args` name to its end. Returns the process's exit code. */
export async function runCommandLine(args: string[]): Promise<number> {
  let exitCode = 0;
  // Each command's modules are loaded when it runs: serve must not wait for the sandbox's.
  const program = new Command("courier")
    .description("Delivers the NotificationMessages of a Kubernetes cluster by e-mail, with a status that says why.")
    .version(VERSION)
    .exitOverride()
    .configureHelp({ showGlobalOptions: false, sortSubcommands: false })
    .showHelpAfterError("(courier COMMAND --help shows what there is)");

  addServiceOptions(program.command("serve"), "serve")
    .description("deliver NotificationMessages: courier-api")
    .action(async (_options, command: Command) => {
      if (await printsConfig(command, "serve")) return;
      const { serve } = await import("./serve.ts");
      exitCode = await serve(readConfig(command, "serve"));
    });
  addServiceOptions(program.command("generate"), "generate")
    .description("create NotificationMessages from Kyverno generate rules, without Kyverno")
    .action(async (_options, command: Command) => {
      if (await printsConfig(command, "generate")) return;
      const { generate } = await import("./generate.ts");
      exitCode = await generate(readConfig(command, "generate"));
    });
  addServiceOptions(program.command("sandbox"), "sandbox")
    .description("an API server, a mail inbox and both services in one process; plays the guide")
    .action(async (_options, command: Command) => {
      if (await printsConfig(command, "sandbox")) return;
      const { sandbox } = await import("./sandbox.ts");
      exitCode = await sandbox(readConfig(command, "sandbox"));
    });
  addRenderOptions(program.command("render"))
    .description("show the mails of templates and messages as they would be sent; sends none")
    .action(async (_objects, _options, command: Command) => {
      const { render } = await import("./render.ts");
      exitCode = await render(command);
    });
  addValidateOptions(program.command("validate"))
    .description("say what is wrong with templates, messages, policies and the mail server's Secret, and where")
    .action(async (_paths, _options, command: Command) => {
      const { validate } = await import("./validate.ts");
      exitCode = await validate(command);
    });
  addExplainOptions(program.command("explain"))
    .description("say what generate rules make of one change, and why; creates nothing")
    .action(async (_options, command: Command) => {
      const { explain } = await import("./explain.ts");
      exitCode = await explain(command);
    });
  addPatchOptions(program.command("patch"))
    .description("kubectl patch for those without kubectl; speaks to the sandbox")
    .action(async (_kind, _name, _options, command: Command) => {
      const { patch } = await import("./patch.ts");
      exitCode = await patch(command);
    });

  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    console.error(`courier: ${(error as Error).message}`);
    return 1;
  }
  return exitCode;
}

function addServiceOptions(command: Command, name: CommandName): Command {
  return addSettings(command, name).option(
    "--print-config",
    "print each setting in effect and where it comes from, credentials masked, and end",
  );
}

/** Prints the configuration where that is all that was asked for. */
async function printsConfig(command: Command, name: CommandName): Promise<boolean> {
  if (command.opts<{ printConfig?: true }>().printConfig !== true) return false;
  const { formatConfig } = await import("../config/print-config.ts");
  process.stdout.write(formatConfig(name, effectiveSettings(command, name)));
  return true;
}
