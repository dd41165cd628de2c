import { stringify } from "yaml";
import type { Json, KubeObject } from "../resources/object.ts";
import type { ExplainedEntry, RuleExplanation } from "./explain.ts";
import type { ExplainedFilter, ExplainedGroup } from "./explain-match.ts";
import { toText } from "./jmespath/values.ts";
import type { CheckedCondition } from "./preconditions.ts";

/** Gives text a look: what decided is green or red, what is beside the point is dim. */
export type Paint = (style: "green" | "red" | "bold" | "dim", text: string) => string;

const MAX_VALUE = 2_000;
const MAX_COLUMN = 60;

/** One rule's explanation as lines for a person. Pure. */
export function formatExplanation(explanation: RuleExplanation, paint: Paint): string[] {
  const { policy, rule, origin, match, exclude, context, targets, errors } = explanation;
  return [
    `${paint("bold", `${policy}, rule "${rule}"`)} ${paint("dim", `(${origin})`)}`,
    ...indent([
      ...formatMatch(explanation, match, paint),
      ...(exclude === undefined ? [] : ["exclude", ...indent(formatGroup(exclude, paint))]),
      ...(context.length === 0 ? [] : ["context", ...indent(context.flatMap((entry) => formatEntry(entry, paint)))]),
      ...formatPreconditions(explanation, paint),
      ...(explanation.because !== undefined && explanation.outcome !== "not matched"
        ? [`${paint("red", explanation.outcome)}: ${explanation.because}`]
        : []),
      ...errors.map((error) => `${paint("red", "failed")}: ${error}`),
      ...targets.flatMap((target) => formatTargetObject(target, paint)),
    ]),
  ];
}

function formatMatch({ outcome, because }: RuleExplanation, match: ExplainedGroup, paint: Paint): string[] {
  const verdict: Record<string, string> = {
    "not matched": paint("red", `does not match: ${because}`),
    "not evaluated": paint("dim", "not evaluated"),
  };
  const head = verdict[outcome];
  return [head === undefined ? "match" : `match ${head}`, ...indent(formatGroup(match, paint))];
}

function formatGroup({ filters }: ExplainedGroup, paint: Paint): string[] {
  return filters.flatMap((filter) => [
    `${mark(filter.matched, paint)} ${filter.path}`,
    ...indent(formatAttributes(filter, paint)),
  ]);
}

function formatAttributes({ attributes }: ExplainedFilter, paint: Paint): string[] {
  const widthOf = (texts: string[]) => Math.max(0, ...texts.map(({ length }) => length));
  const nameWidth = widthOf(attributes.map(({ attribute }) => attribute));
  const ruleWidth = Math.min(MAX_COLUMN, widthOf(attributes.map(({ wanted }) => show(wanted))));
  return attributes.map(({ attribute, wanted, seen, matched }) => {
    const sign = matched === undefined ? paint("dim", "·") : mark(matched, paint);
    const object = matched === undefined ? "not looked at" : show(seen);
    return `${sign} ${attribute.padEnd(nameWidth)}  rule ${show(wanted).padEnd(ruleWidth)}  change ${object}`;
  });
}

function formatEntry({ name, value, error }: ExplainedEntry, paint: Paint): string[] {
  if (error !== undefined) return [`${mark(false, paint)} ${name}: ${error}`];
  return [`${name} = ${show(value ?? null)}`];
}

function formatPreconditions({ preconditions, notLookedAt }: RuleExplanation, paint: Paint): string[] {
  if (preconditions.length === 0 && notLookedAt.length === 0) return [];
  return [
    "preconditions",
    ...indent([
      ...preconditions.flatMap((condition) => formatCondition(condition, paint)),
      ...notLookedAt.map((path) => paint("dim", `· ${shortPath(path)}  not looked at`)),
    ]),
  ];
}

/** Both sides below each other, so that what differs is seen. */
function formatCondition({ path, key, operator, value, message, met }: CheckedCondition, paint: Paint): string[] {
  const note = message === "" ? "" : paint("dim", `  (${message})`);
  const width = "value".length;
  return [
    `${mark(met, paint)} ${shortPath(path)}  ${operator}${note}`,
    ...indent([`${"key".padEnd(width)}  ${show(key)}`, `${"value".padEnd(width)}  ${show(value)}`]),
  ];
}

function formatTargetObject(target: KubeObject, paint: Paint): string[] {
  const { apiVersion, kind, metadata, ...rest } = target;
  const place = metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
  const lines = stringify({ apiVersion, kind, metadata, ...rest }, { lineWidth: 0 })
    .trimEnd()
    .split("\n");
  return [paint("green", `generates ${kind} ${place}`), ...indent(lines)];
}

/** `spec.rules[0].preconditions.all[0]` → `all[0]` */
function shortPath(path: string): string {
  return path.replace(/^.*preconditions\./, "");
}

function mark(isGood: boolean, paint: Paint): string {
  return isGood ? paint("green", "✓") : paint("red", "✗");
}

function show(value: Json): string {
  const text = typeof value === "string" ? JSON.stringify(value) : toText(value);
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE)}… (${text.length} characters)`;
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => (line === "" ? "" : `  ${line}`));
}
