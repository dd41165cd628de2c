/** Everything that can be said of manifests without a cluster. Pure; called by `courier validate`. */
import { checkGlobalContext } from "./check-global-context.ts";
import { checkIdentity } from "./check-identity.ts";
import { checkMessage } from "./check-message.ts";
import { checkPolicy } from "./check-policy.ts";
import { checkSecret } from "./check-secret.ts";
import { checkTemplate } from "./check-template.ts";
import { checkTogether } from "./check-together.ts";
import { type Finding, findingAt, sortFindings } from "./finding.ts";
import { checkFields } from "./known-fields.ts";
import { isEmailServer } from "./mail-server-secret.ts";
import { type Manifest, readManifests } from "./manifest.ts";
import type { SourceFile } from "./source-file.ts";

export interface Validation {
  findings: Finding[];
  /** Objects of the kinds that courier knows; others are passed over. */
  checked: number;
}

/** Validates the files as one set, so that messages and policies meet their templates. Never throws. */
export function validate(sources: readonly SourceFile[]): Validation {
  const read = sources.map(readManifests);
  const manifests = read.flatMap((file) => file.manifests);
  const single = manifests.flatMap((manifest) => guarded(manifest, () => checkOne(manifest)));
  const together = guarded(manifests[0], () => checkTogether(manifests));
  const findings = [...read.flatMap((file) => file.findings), ...single, ...together];
  return {
    findings: sortFindings(
      findings,
      sources.map(({ path }) => path),
    ),
    checked: manifests.filter((manifest) => checkOf(manifest) !== undefined).length,
  };
}

function checkOne(manifest: Manifest): Finding[] {
  const check = checkOf(manifest);
  const known = check === undefined ? [] : [...check(manifest), ...checkSurprises(manifest)];
  const findings = [...checkIdentity(manifest), ...known];
  return manifest.object.kind === "Secret" ? findings.map(withoutLine) : findings;
}

function checkSurprises(manifest: Manifest): Finding[] {
  return manifest.surprises.map(({ offset, written, value }) => {
    const message = `kubectl reads ${written} as ${value}: put it in quotes if it is meant as a text`;
    return findingAt(manifest.source, offset, { severity: "warning", rule: "wrong-value", message });
  });
}

/** A line of a Secret may hold a credential. */
function withoutLine({ sourceLine: _, ...finding }: Finding): Finding {
  return finding;
}

function checkOf(manifest: Manifest): ((manifest: Manifest) => Finding[]) | undefined {
  const withFields = (check: (manifest: Manifest) => Finding[]) => (one: Manifest) => [
    ...checkFields(one),
    ...check(one),
  ];
  switch (manifest.object.kind) {
    case "NotificationTemplate":
      return withFields(checkTemplate);
    case "NotificationMessage":
      return withFields(checkMessage);
    case "ClusterPolicy":
    case "Policy":
      return checkPolicy;
    case "GlobalContextEntry":
      return checkGlobalContext;
    case "Secret":
      return isEmailServer(manifest) ? withFields(checkSecret) : undefined;
    default:
      return undefined;
  }
}

/** Nesting beyond the stack is one more thing to be told, not a crash. */
function guarded(manifest: Manifest | undefined, check: () => Finding[]): Finding[] {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof RangeError) || manifest === undefined) throw error;
    const message = `${manifest.title} is nested too deeply: make it flatter`;
    return [findingAt(manifest.source, manifest.offset, { severity: "error", rule: "wrong-value", message })];
  }
}
