import { stringify } from "yaml";
import type { EffectiveSetting } from "./config.ts";
import type { CommandName } from "./settings.ts";

/** `scheme://user:password@` and `?token=…` in an address. */
const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^/?#\s]*@/gi;
const SECRET_PARAMETER = /([?&][^=&#\s]*(?:token|secret|password|key|sig)[^=&#\s]*=)[^&#\s]*/gi;

/** `text` without the credentials that an address in it carries. */
export function maskSecrets(text: string): string {
  return text.replace(USER_INFO, "$1[hidden]@").replace(SECRET_PARAMETER, "$1[hidden]");
}

/** The settings in effect as YAML: each with its value as it would be written, and where that comes from. */
export function formatConfig(command: CommandName, settings: readonly EffectiveSetting[]): string {
  const rows = settings.map(({ name, value, source }) => [
    name,
    { value: typeof value === "string" ? maskSecrets(value) : value, source },
  ]);
  return stringify({ command, settings: Object.fromEntries(rows) }, { lineWidth: 0 });
}
