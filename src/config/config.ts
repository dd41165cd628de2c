import { Command, Option } from "commander";
import type { LogFormat, LogLevel } from "../observe/logger.ts";
import type { ResourceFilterEntry } from "../resources/resource-filter.ts";
import type { Address, Rate } from "./parse.ts";
import { type CommandName, SETTINGS, type Setting } from "./settings.ts";

interface LogConfig {
  logFormat: LogFormat;
  logLevel: LogLevel;
}

interface ClusterConfig extends LogConfig {
  kubeconfig?: string;
  context?: string;
  httpListen: Address;
  leaseName: string;
  leaseNamespace: string;
  identity: string;
  /** Milliseconds, as are all durations here. */
  leaseDuration: number;
  watchSilence: number;
  shutdownTimeout: number;
}

export interface ServeConfig extends ClusterConfig {
  namespace: string[];
  allNamespaces: boolean;
  secretName: string;
  secretNamespace: string;
  shards: number;
  workers: number;
  smtpConnections: number;
  smtpTimeout: number;
  allowPlainAuth: boolean;
  allowSafeHtml: boolean;
  /** In lower case and A-labels; empty for all. */
  allowedRecipientDomains: string[];
  namespaceRate?: Rate;
  recipientRate?: Rate;
  deadline: number;
  failedRetention: number;
  apiAuth: boolean;
}

export interface GenerateConfig extends ClusterConfig {
  policies: string[];
  /** Objects whose changes never trigger a rule. */
  resourceFilters: ResourceFilterEntry[];
  /** Whether the generator runs although a Kyverno generates on the same cluster. */
  besideKyverno: boolean;
  /** Whether each target that is created is told of in Events. */
  generateSuccessEvents: boolean;
}

export interface SandboxConfig extends LogConfig {
  once: boolean;
  smtp?: Address;
  stateDir: string;
  apiHost: string;
  apiPort: number;
  advertise?: string;
  inboxPort: number;
}

/** Defaults that differ by command, or that no text can express. */
const COMMAND_DEFAULTS: Record<CommandName, object> = {
  serve: {
    leaseName: "courier-api",
    allNamespaces: false,
    allowPlainAuth: false,
    allowSafeHtml: false,
    apiAuth: false,
    allowedRecipientDomains: [],
  },
  generate: { leaseName: "courier-generator", policies: [], besideKyverno: false, generateSuccessEvents: false },
  sandbox: { once: false },
};

interface Configs {
  serve: ServeConfig;
  generate: GenerateConfig;
  sandbox: SandboxConfig;
}

/** Gives `command` the options of the settings table that belong to `name`. */
export function addSettings(command: Command, name: CommandName): Command {
  for (const setting of SETTINGS) {
    if (setting.commands.includes(name)) command.addOption(optionOf(setting));
  }
  return command;
}

/** An option that keeps what it was given, as it was written. */
class SettingOption extends Option {
  readonly given: string[] = [];
}

function optionOf(setting: Setting): SettingOption {
  const option = new SettingOption(setting.flag, setting.help);
  // Commander takes the mere presence of a switch's variable for "on", and COURIER_X=false must not switch X on.
  const given = process.env[setting.env] ?? "on";
  const isSwitchedOff = !setting.flag.includes("<") && /^(0|false|no)$/i.test(given);
  if (!isSwitchedOff && given !== "") option.env(setting.env); // an empty variable is one that was not set
  if (setting.choices) option.choices(setting.choices);
  const { parse, default: text } = setting;
  if (parse) {
    let before: unknown; // what the flag was given so far: commander would hand the default in as the first of a list
    option.argParser((value) => {
      option.given.push(value);
      before = parse(value, before);
      return before;
    });
  }
  if (text !== undefined) option.default(parse ? parse(text, undefined) : text, text);
  return option;
}

/** The frozen configuration of a command that was given {@link addSettings}. */
export function readConfig<Name extends CommandName>(command: Command, name: Name): Configs[Name] {
  return Object.freeze({ ...COMMAND_DEFAULTS[name], ...command.opts() }) as unknown as Configs[Name];
}

/** A setting as it applies: its value as it would be written (null where it has none), and where that comes from. */
export interface EffectiveSetting {
  /** The flag's long name, without its dashes. */
  name: string;
  value: string | boolean | null;
  /** `flag`, `environment COURIER_WORKERS`, `default`, or `unset`. */
  source: string;
}

/** Every setting of a command that was given {@link addSettings} and has read its arguments. */
export function effectiveSettings(command: Command, name: CommandName): EffectiveSetting[] {
  const defaults = COMMAND_DEFAULTS[name] as Record<string, unknown>;
  return command.options
    .filter((option) => option instanceof SettingOption)
    .map((option) => {
      const key = option.attributeName();
      const held: unknown = command.getOptionValue(key) ?? defaults[key];
      const source = command.getOptionValueSource(key);
      const value = asWritten(option, held, source === "default");
      return { name: option.long?.slice(2) ?? "", value, source: describeSource(source, value, option) };
    });
}

/** The text that was parsed into what the command holds; switches and unparsed texts are held as they were given. */
function asWritten({ given, defaultValueDescription }: SettingOption, held: unknown, isDefault: boolean) {
  const text = given.length > 0 ? given.join(",") : isDefault ? defaultValueDescription : held;
  return typeof text === "string" || typeof text === "boolean" ? text : null;
}

function describeSource(source: string | undefined, value: unknown, { envVar }: Option): string {
  if (source === "cli") return "flag";
  if (source === "env") return `environment ${envVar}`;
  return value === null ? "unset" : "default";
}

/** The configuration a command has when it is given nothing, with `overrides`; the environment is not looked at. */
export function defaultConfig<Name extends CommandName>(name: Name, overrides: Partial<Configs[Name]>): Configs[Name] {
  const command = addSettings(new Command(), name);
  for (const option of command.options) option.envVar = undefined;
  command.parse([], { from: "user" });
  return Object.freeze({ ...readConfig(command, name), ...overrides }) as Configs[Name];
}
