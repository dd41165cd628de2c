import { EMAIL_SERVER_KEYS, parseEmailServer } from "../mail/email-server.ts";
import { EmailServerError } from "../mail/secret-values.ts";
import { field, isObject } from "../resources/fields.ts";
import { suggest } from "../template/suggest.ts";
import { type Finding, findingAt, type Rule } from "./finding.ts";
import { secretOf } from "./mail-server-secret.ts";
import type { Manifest } from "./manifest.ts";

/** What is wrong with the Secret of a mail server. Values of credentials are never in a message. */
export function checkSecret(manifest: Manifest): Finding[] {
  const findings = [...checkKeys(manifest), ...checkTexts(manifest)];
  if (findings.length > 0) return findings;
  try {
    parseEmailServer(secretOf(manifest.object));
    return [];
  } catch (error) {
    if (!(error instanceof EmailServerError)) throw error;
    const { key, message } = error;
    const isPlain = isObject(manifest.object["stringData"]) && field(manifest.object["stringData"], key) !== undefined;
    return [keyFinding(manifest, `${isPlain ? "stringData" : "data"}.${key}`, "mail-server", message)];
  }
}

function checkKeys(manifest: Manifest): Finding[] {
  return keysOf(manifest).flatMap(({ path, key }) => {
    const near = EMAIL_SERVER_KEYS.includes(key) ? undefined : suggest(key, EMAIL_SERVER_KEYS);
    return near === undefined
      ? []
      : [keyFinding(manifest, path, "unknown-field", `unknown key ${path}: did you mean "${near}"?`)];
  });
}

/** The API server takes texts only: `port: 587` must be `port: "587"`. */
function checkTexts(manifest: Manifest): Finding[] {
  return keysOf(manifest)
    .filter(({ value }) => typeof value !== "string")
    .map(({ path }) => keyFinding(manifest, path, "wrong-value", `${path} must be a string: put it in quotes`));
}

function keysOf({ object }: Manifest): { path: string; key: string; value: unknown }[] {
  return ["data", "stringData"].flatMap((part) => {
    const values = object[part];
    return isObject(values)
      ? Object.entries(values).map(([key, value]) => ({ path: `${part}.${key}`, key, value }))
      : [];
  });
}

function keyFinding(manifest: Manifest, path: string, rule: Rule, message: string): Finding {
  return findingAt(manifest.source, manifest.offsetOf(path, "key"), { severity: "error", rule, message });
}
