import assert from "node:assert/strict";
import { test } from "node:test";
import { SourceFile } from "../../src/author/source-file.ts";
import { validate } from "../../src/author/validate.ts";

/** `severity line:column message` of everything that is found in the files. */
function findings(...files: string[]): string[] {
  const sources = files.map((text, index) => new SourceFile(`${index + 1}.yaml`, text));
  return validate(sources).findings.map(
    ({ severity, file, line, column, message }) => `${severity} ${file}:${line}:${column} ${message}`,
  );
}

const template = (
  subject: string,
  content: string,
  labels = "cpaas.io/template.email.body.type: Html",
) => `apiVersion: ait.alauda.io/v1beta1
kind: NotificationTemplate
metadata:
  name: change
  labels:
    ${labels}
spec:
  templates:
    - type: Email
      subject: ${subject}
      content: |-
        ${content.replaceAll("\n", "\n        ")}
`;
const message = (body: string, name = "change") => `apiVersion: aitextensions.alauda.io/v1beta1
kind: NotificationMessage
metadata: {name: hello}
spec:
  body: ${body}
  notifications:
    - name: mail
      ephemeral: {methods: [Email], template: ${name}}
      receivers: [{destination: ann@example.com}]
`;
const policy = (labels: string) => `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: announce}
spec:
  rules:
    - name: mail
      match: {any: [{resources: {kinds: [ConfigMap]}}]}
      generate:
        apiVersion: aitextensions.alauda.io/v1beta1
        kind: NotificationMessage
        name: x
        namespace: cpaas-system
        data:
          spec:
            body: {labels: ${labels}}
            notifications:
              - name: mail
                ephemeral: {methods: [Email], template: change}
                receivers: [{destination: "{{ request.object.data.mail }}"}]
`;
const IN_CONTENT = '(content of NotificationTemplate "change")';
const IN_SUBJECT = '(subject of NotificationTemplate "change")';

test("a template, its message and its policy without mistakes have no findings", () => {
  const good = template("Change of {{ .labels.name }}", "<p>{{ .labels.name }}</p>");
  assert.deepEqual(findings(good, message("{labels: {name: x}}"), policy('{name: "{{ request.name }}"}')), []);
});

test("an unknown function is told where it stands in the YAML, with the nearest name", () => {
  assert.deepEqual(findings(template("x", "<p>first</p>\n\n<p>{{ .labels.name | uper }}</p>")), [
    `error 1.yaml:14:30 unknown function "uper"; did you mean "upper"? ${IN_CONTENT}`,
  ]);
  assert.deepEqual(findings(template('"a \\"b\\" {{ uper .x }}"', "x")), [
    `error 1.yaml:10:28 unknown function "uper"; did you mean "upper"? ${IN_SUBJECT}`,
  ]);
  assert.deepEqual(findings(template("x", "变更😀 {{ uper .x }}")), [
    `error 1.yaml:12:16 unknown function "uper"; did you mean "upper"? ${IN_CONTENT}`,
  ]);
});

test("both parts of a template are told of at once", () => {
  const found = findings(template("a {{ .x", "{{ if }}"));
  assert.equal(found.length, 2);
  assert.match(found[0] ?? "", /^error 1\.yaml:10:\d+ unclosed action \(subject/);
  assert.match(found[1] ?? "", /^error 1\.yaml:12:15 missing value for if \(content/);
});

test("a variable that no message sets is an error with the nearest name", () => {
  assert.deepEqual(findings(template("x", "{{ .labels.ownr }}"), message("{labels: {owner: Ann}}")), [
    `error 1.yaml:12:12 .labels.ownr is never set by NotificationMessage "hello" (2.yaml:1): did you mean ".labels.owner"? ${IN_CONTENT}`,
  ]);
});

test("a variable that only a policy's body leaves out is a warning", () => {
  const found = findings(
    template("x", "{{ .labels.owner }}"),
    message("{labels: {owner: Ann}}"),
    policy('{name: "{{ request.name }}"}'),
  );
  assert.deepEqual(found, [
    `warning 1.yaml:12:12 .labels.owner is not set by ClusterPolicy "announce" (3.yaml:1): set it in spec.body there, or put it inside {{ if … }} ${IN_CONTENT}`,
  ]);
});

for (const content of [
  "{{ if .labels.owner }}{{ .labels.owner }}{{ end }}",
  "{{ with .labels.owner }}{{ . }}{{ end }}",
  '{{ .labels.owner | default "nobody" }}',
  '{{ or .labels.owner "nobody" }}',
  "{{ $l := .labels }}{{ with $l.owner }}{{ . }}{{ end }}{{ $l.name }}",
  "{{ range $k, $v := .labels }}{{ $k }}: {{ $v }}{{ end }}",
  '{{ define "row" }}{{ .name }}{{ end }}{{ template "row" .labels }}',
  '{{ index .labels "name" }}',
  '{{ define "value" }}{{ . }}{{ end }}{{ with .labels.owner }}{{ template "value" . }}{{ end }}',
  '{{ define "tree" }}{{ .name }}{{ with .child }}{{ template "tree" . }}{{ end }}{{ end }}{{ template "tree" .labels }}',
]) {
  test(`the template deals with what is absent: ${content}`, () => {
    assert.deepEqual(findings(template("x", content), message("{labels: {name: x}}")), []);
  });
}

for (const [content, variable] of [
  ["{{ with .labels }}{{ .ownr }}{{ end }}", ".labels.ownr"],
  ["{{ range .alerts }}{{ .ownr }}{{ end }}", ".alerts[].ownr"],
  ['{{ define "row" }}{{ .ownr }}{{ end }}{{ template "row" .labels }}', ".labels.ownr"],
  ["{{ $l := .labels }}{{ $l.ownr }}", ".labels.ownr"],
  ['{{ index .labels "a/b" }}', '.labels["a/b"]'],
  ["{{ with .labels }}{{ $.ownr }}{{ end }}", ".ownr"],
  ['{{ if eq .labels.ownr "x" }}y{{ end }}', ".labels.ownr"],
  ["{{ if or .labels.ownr .labels.name }}{{ .labels.ownr }}{{ end }}", ".labels.ownr"],
] as const) {
  test(`an absent variable is found in ${content}`, () => {
    const found = findings(template("x", content), message("{labels: {name: x}, alerts: [{name: x}]}"));
    assert.equal(found.length, 1, found.join("\n"));
    assert.ok(found[0]?.includes(` ${variable} is never set by `), found[0]);
  });
}

test("a field of a text fails when it is rendered, and the place is told", () => {
  const [found = ""] = findings(template("x", "{{ .labels.name.first }}"), message("{labels: {name: x}}"));
  assert.match(
    found,
    /^error 1\.yaml:12:19 \.labels\.name\.first: can't evaluate field first .*rendered with NotificationMessage "hello"/,
  );
});

test("a template that is not among the files is a warning, with the nearest name", () => {
  assert.deepEqual(findings(message("{}", "chnage"), template("x", "y")), [
    'warning 1.yaml:8:47 NotificationTemplate "chnage" is not among these files: did you mean "change"?',
  ]);
});

for (const [subject, severity] of [
  ['""', "error"],
  ['"  "', "error"],
  ['"{{ with .labels.name }}{{ . }}{{ end }}"', "warning"],
  ['"{{ .labels.name }}"', "warning"],
  ["'{{ .labels.name | default \"x\" }}'", undefined],
  ["'{{ printf \"a %s\" .labels.name }}'", undefined],
  ['"{{ if .labels.name }}a{{ else }}b{{ end }}"', undefined],
  ['"{{ if .labels.name }}a{{ end }}"', "warning"],
] as const) {
  test(`the subject ${subject} is ${severity ?? "never empty"}`, () => {
    const found = findings(template(subject, "x"));
    assert.deepEqual(
      found.map((text) => text.slice(0, text.indexOf(" the subject"))),
      severity === undefined ? [] : [`${severity} 1.yaml:10:16`],
    );
  });
}

for (const [content, place, told] of [
  ["<p>Hello <b>x</p>", "12:18", "error <b> is not closed: add </b>"],
  ["<p>x</b></p>", "12:13", "error </b> closes nothing: remove it, or add <b> before"],
  ["<div>x", "12:9", "error <div> is not closed: add </div>"],
  ["{{ if .x }}<b>{{ end }}x{{ if .x }}</b>{{ end }}", "12:20", "warning <b> is opened in one branch only"],
  ['<a href="ftp://x">y</a>', "12:12", 'error the link "ftp://x" is removed from the mail: use http, https or mailto'],
  ['<a href="javascript:{{ .x }}">y</a>', "12:12", "error "],
  ['<a href="/x">y</a>', "12:12", 'error the link "/x" leads nowhere from a mail'],
  [
    '<img src="http://x.example/y.png">',
    "12:14",
    'error the link "http://x.example/y.png" is removed from the mail: use https',
  ],
  ["<p>x</p> <none>", "12:18", "error <none> is no element and is left out of the mail"],
  ["<p>x</p><script>y</script>", "12:17", "warning <script> is left out of the mail"],
  ['<p onclick="x">y</p>', "12:12", "warning the attribute onclick of <p> is left out of the mail"],
  ['<p style="color:red;position:fixed">y</p>', "12:12", "warning the style position of <p> is left out of the mail"],
] as const) {
  test(`HTML: ${content}`, () => {
    const [found = "", ...more] = findings(template("x", content));
    const [severity = "", rest] = [told.split(" ")[0], told.slice(told.indexOf(" "))];
    assert.ok(
      found.startsWith(`${severity} 1.yaml:${place}${rest}`),
      `${found}\nis not\n${severity} 1.yaml:${place}${rest}`,
    );
    assert.deepEqual(more, []);
  });
}

for (const content of [
  '<table width="100%"><tr><td>{{ .x }}<td>y<tr><td>z</table><p>a<p>b<ul><li>c<li>d</ul><br><hr>',
  '<a href="{{ .url }}">x</a> <a href="https://x.example/{{ .id }}">y</a> <a href="mailto:a@b.example">z</a>',
  "{{ range .x }}<p>{{ . }}</p>{{ else }}<p>none</p>{{ end }}",
  "{{ if .x }}<b>{{ else }}<b>{{ end }}x</b>",
  "a < b and <none> stay text where there is no element",
  "<!-- a <b> in a comment --><p>{{/* and </p> in one of the template */}}x</p>",
  '<p title="a > b">{{ printf "%s}}" "</p>" }}</p>',
]) {
  test(`no complaint about ${content}`, () => {
    assert.deepEqual(findings(template("x", content)), []);
  });
}

test("a tag without its end is told as such", () => {
  assert.ok(findings(template("x", "<p>x</p><b")).includes(`error 1.yaml:12:17 <b has no ">": add it ${IN_CONTENT}`));
});

test("HTML in a template of type Text is a warning", () => {
  const [found = ""] = findings(template("x", "<b>x</b>", "cpaas.io/template.email.body.type: Text"));
  assert.match(found, /^warning 1\.yaml:12:9 <b> is shown as text/);
});

test("wrong and misspelt labels, fields, kinds and versions are told with what is meant", () => {
  const told = (from: string, to: string) => findings(template("x", "y").replace(from, to));
  assert.deepEqual(told("type: Html", "type: Markdown"), [
    'error 1.yaml:6:40 metadata.labels["cpaas.io/template.email.body.type"] is "Markdown": use Html or Text',
  ]);
  assert.deepEqual(told("cpaas.io/template.email.body.type: Html", "courier.io/template.engine: jinja"), [
    'error 1.yaml:6:33 metadata.labels["courier.io/template.engine"] is "jinja": use go or handlebars',
  ]);
  assert.deepEqual(told("body.type", "body.typ"), [
    'error 1.yaml:6:5 unknown label cpaas.io/template.email.body.typ: did you mean "cpaas.io/template.email.body.type"?',
  ]);
  assert.deepEqual(told("kind: NotificationTemplate", "kind: NotificationTemplat"), [
    'error 1.yaml:2:7 unknown kind "NotificationTemplat": did you mean "NotificationTemplate"?',
  ]);
  assert.deepEqual(told("v1beta1", "v1"), [
    'error 1.yaml:1:13 apiVersion is "ait.alauda.io/v1": NotificationTemplate is read as ait.alauda.io/v1beta1',
  ]);
  assert.deepEqual(told("    - type: Email", "    - sujbect: z\n      type: Email"), [
    'error 1.yaml:9:7 unknown field spec.templates[0].sujbect: did you mean "subject"?',
  ]);
});

test("a message is told what delivery would refuse, at the field", () => {
  const text = message("{}").replace("ann@example.com", "ann").replace("[Email]", "[Email, Sms]");
  assert.deepEqual(findings(text, template("x", "y")), [
    'warning 1.yaml:8:36 spec.notifications[0].ephemeral.methods[1] is "Sms": this service delivers Email only',
    'error 1.yaml:9:33 spec.notifications[0].receivers[0].destination: "ann" is no e-mail address: it has no @',
  ]);
});

test("a policy is told what the generator refuses, and what is misspelt in what it generates", () => {
  const text = policy("{}").replace("match:", "mach:").replace("receivers:", "recievers:");
  const found = findings(text, template("x", "y"));
  assert.ok(
    found.includes('error 1.yaml:7:7 unknown field spec.rules[0].mach: did you mean "match"?'),
    found.join("\n"),
  );
  const inBody = "spec.rules[0].generate.data.spec.notifications[0].recievers";
  assert.ok(found.includes(`error 1.yaml:19:17 unknown field ${inBody}: did you mean "receivers"?`), found.join("\n"));
  assert.deepEqual(findings(policy("{}").replace("generate:", "generat:")), [
    'error 1.yaml:8:7 unknown field spec.rules[0].generat: did you mean "generate"?',
  ]);
});

test("what the entries of a foreach generate is seen too", () => {
  const text = policy("{name: x}")
    .replace(
      "      generate:\n",
      "      generate:\n        foreach: [{list: request.object.data.x, kind: NotificationMessage, data: {spec: {body: {}, notifications: [{name: a, ephemeral: {methods: [Email], template: chang}}]}}}]\n",
    )
    .replace("kind: NotificationMessage\n", "kind: ConfigMap\n");
  const found = findings(text, template("x", "y"));
  assert.ok(
    found.some((line) => line.includes('NotificationTemplate "chang" is not among')),
    found.join("\n"),
  );
});

const secret = (data: string) => `apiVersion: v1
kind: Secret
metadata: {name: platform-email-server, namespace: cpaas-system}
type: NotificationServer
stringData: ${data}
`;

test("the mail server's Secret is told the key at fault, and no line of it is shown", () => {
  assert.deepEqual(findings(secret('{host: smtp.example.com, port: "25", from: a@example.com}')), []);
  assert.match(
    findings(secret('{host: "a b", port: "25", from: a@example.com}'))[0] ?? "",
    /^error 1\.yaml:5:14 .*host/,
  );
  assert.match(
    findings(secret("{host: a.example, port: 25}"))[0] ?? "",
    /stringData\.port must be a string: put it in quotes/,
  );
  const oauth = '{host: a.example, port: "587", from: a@example.com, authType: xoauth2, username: u, clientId: c,';
  assert.deepEqual(findings(secret(`${oauth} clientSecret: s, tokenUrl: "https://a.example/t", scope: x}`)), []);
  assert.match(
    findings(secret(`${oauth} clientSecret: s, tokenUrl: "a.example"}`))[0] ?? "",
    /^error 1\.yaml:5:127 data\.tokenUrl is no https/,
  );
  assert.match(findings(secret(`${oauth} clientSecrt: s}`))[0] ?? "", /did you mean "clientSecret"/);
  assert.match(
    findings(secret('\n  host: a.example\n  port: "25"\n  from: a@example.com\n  ca.crt: |\n    nothing'))[0] ?? "",
    /^error 1\.yaml:9:3 data\["ca\.crt"\] is no certificate/,
  );
  const text = secret("{host: a.example, hosst: hunter2, passwrd: hunter2}\nstringDat: hunter2");
  const { findings: found } = validate([new SourceFile("s.yaml", text)]);
  assert.equal(found.length, 3);
  assert.ok(!JSON.stringify(found).includes("hunter2"));
  const broken = validate([new SourceFile("s.yaml", `${text}password: hunter2: x\n`)]);
  assert.ok(broken.findings.length > 0 && !JSON.stringify(broken.findings).includes("hunter2"));
});

test("broken YAML is told with its place, and the other documents are still read", () => {
  const found = findings(`a: b: c\n---\n${template("x", "{{ .x")}`);
  assert.match(found[0] ?? "", /^error 1\.yaml:1:4 YAML: Nested mappings/);
  assert.match(found[1] ?? "", /^error 1\.yaml:14:\d+ unclosed action/);
});

test("words that kubectl reads as something else are told", () => {
  assert.deepEqual(
    findings(
      message("{enabled: yes, mode: 0755, day: 2026-11-22, at: 1:30, quoted: 'no', fine: true}"),
      template("x", "y"),
    ),
    [
      "warning 1.yaml:5:19 kubectl reads yes as true: put it in quotes if it is meant as a text",
      "warning 1.yaml:5:30 kubectl reads 0755 as 493: put it in quotes if it is meant as a text",
    ],
  );
});

test("the items of a List are validated each on its own", () => {
  const indented = template("x", "{{ uper .x }}").replaceAll("\n", "\n    ");
  assert.match(
    findings(`apiVersion: v1\nkind: List\nitems:\n  - ${indented}`)[0] ?? "",
    /^error 1\.yaml:15:16 unknown function "uper"/,
  );
});

test("objects of other kinds are passed over", () => {
  assert.deepEqual(findings("apiVersion: v1\nkind: ConfigMap\nmetdata: {}\n---\nhello\n---\n- 1\n"), []);
});

test("a GlobalContextEntry is read as the generator reads it", () => {
  const entry = (spec: string) => `apiVersion: kyverno.io/v2
kind: GlobalContextEntry
metadata: {name: maps}
spec:
  ${spec}
`;
  assert.deepEqual(findings(entry("kubernetesResource: {version: v1, resource: configmaps}")), []);
  assert.deepEqual(findings(entry("apiCall: {urlPath: /version, method: POST}")), [
    "error 1.yaml:5:40 spec.apiCall.method is POST: only GET is supported",
  ]);
});
