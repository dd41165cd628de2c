import Handlebars from "handlebars";
import { compileTemplate, type TemplateMode } from "../../src/template/index.ts";

/**
 * Go templates against hand-written Handlebars of the same output, in the same run: `node test/bench/template.ts`.
 * The aims are 0.8 of Handlebars' rate in text mode and 0.5 in html mode; each line ends with the ratio.
 */
interface Contest {
  name: string;
  mode: TemplateMode;
  go: string;
  handlebars: string;
  data: unknown;
}

const LABELS = {
  namespace: "app-team-a",
  name: "app-notification-source",
  resourceVersion: "19377570",
  application: "payment",
  owner: "platform-ops",
  severity: "critical",
};

const GUIDE = `The watched ConfigMap was updated.

Namespace: {{ .labels.namespace }}
Name: {{ .labels.name }}
Resource version: {{ .labels.resourceVersion }}
Application: {{ .labels.application }}
Owner: {{ .labels.owner }}
Severity: {{ .labels.severity }}`;

const SECTION = `<h2>{{ .labels.name }}</h2>
{{ if .labels.owner }}<p>Owner {{ .labels.owner }}</p>
{{ else }}<p>Nobody owns it</p>
{{ end }}<ul>
{{ range .items }}<li>{{ .name }}: {{ .value }}</li>
{{ end }}</ul>
<p title="{{ .labels.severity }}">{{ .labels.application }}</p>
<p>{{ .labels.namespace }}</p>
`;
const LONG = SECTION.repeat(20);
const LONG_DATA = {
  labels: LABELS,
  items: Array.from({ length: 5 }, (_, index) => ({ name: `item ${index}`, value: `value ${index}` })),
};

/** What somebody who knows Handlebars would have written. */
function toHandlebars(go: string): string {
  return go
    .replace(/\{\{ range \.(\w+) \}\}([\s\S]*?)\{\{ end \}\}/g, "{{#each $1}}$2{{/each}}")
    .replace(/\{\{ if \.([\w.]+) \}\}([\s\S]*?)\{\{ end \}\}/g, "{{#if $1}}$2{{/if}}")
    .replace(/\{\{ \.([\w.]+) \}\}/g, "{{ $1 }}");
}

const contests: Contest[] = (["text", "html"] as const).flatMap((mode) => [
  { name: "guide", mode, go: GUIDE, handlebars: toHandlebars(GUIDE), data: { labels: LABELS } },
  { name: "200 lines", mode, go: LONG, handlebars: toHandlebars(LONG), data: LONG_DATA },
]);

function rate(render: () => string, ms: number): number {
  const end = performance.now() + ms;
  let count = 0;
  while (performance.now() < end) for (let turn = 0; turn < 50; turn++, count++) render();
  return (count / ms) * 1000;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

for (const { name, mode, go, handlebars, data } of contests) {
  const ours = compileTemplate(go, { name: "content", mode });
  const theirs = Handlebars.compile(handlebars, { noEscape: mode === "text" });
  const same = (text: string): string => text.replace(/\n+/g, "\n");
  if (same(ours.render(data)) !== same(theirs(data))) throw new Error(`${name}: the outputs differ`);
  const rounds = Array.from(
    { length: 5 },
    () => [rate(() => ours.render(data), 200), rate(() => theirs(data), 200)] as const,
  );
  const [a, b] = [median(rounds.map(([rate]) => rate)), median(rounds.map(([, rate]) => rate))];
  console.log(`${mode} ${name}: ${Math.round(a)}/s, Handlebars ${Math.round(b)}/s, ratio ${(a / b).toFixed(2)}`);
}
