import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { PolicyError } from "../../src/generator/errors.ts";
import { parsePolicy } from "../../src/generator/parse-policy.ts";
import { loadPolicyFiles } from "../../src/generator/policy-files.ts";
import { guidePolicy, policyOf } from "./objects.ts";

/** A rule's YAML and what is said about it. */
const REFUSED: [string, RegExp][] = [
  ["match: {any: [], all: []}", /^spec\.rules\[0\]\.match is missing or empty$/],
  ["match: {any: [{resources: {kinds: [A]}}], all: [{resources: {kinds: [B]}}]}", /match has any and all/],
  [
    "match: {any: [{resources: {kinds: [ConfigMap/status]}}]}",
    /match\.any\[0\]\.resources\.kinds\[0\] names the subresource "status"/,
  ],
  [
    "match: {any: [{resources: {kinds: [Pod], operations: [CONNECT]}}]}",
    /operations\[0\] CONNECT cannot be seen by a watch/,
  ],
  [
    "match: {any: [{resources: {kinds: [Pod], operations: [PATCH]}}]}",
    /must be CREATE, UPDATE or DELETE and is "PATCH"/,
  ],
  ["match: {any: [{resources: {kinds: ConfigMap}}]}", /kinds must be a list and is a string/],
  [
    "match: {any: [{resources: {kinds: [A], selector: {matchExpressions: [{key: a, operator: Near}]}}}]}",
    /operator must be one of In, NotIn/,
  ],
  ["match: {any: [{resources: {names: [a]}}]}", /match names no kinds: it matches nothing/],
  [
    "match: {any: [{resources: {kinds: [A], name: a, names: [b]}}]}",
    /match\.any\[0\]\.resources has name and names: only one/,
  ],
  ["match: {any: [{resource: {}}]}", /match\.any\[0\]\.resource is not supported/],
  [
    "preconditions: {all: [{key: a, operator: Like, value: b}]}",
    /preconditions\.all\[0\]\.operator is "Like" and must be one of Equal, Equals/,
  ],
  ["preconditions: {every: []}", /preconditions\.every is not supported/],
  [
    "preconditions: {all: [{key: '{{ a. }}', operator: Equals, value: b}]}",
    /preconditions\.all\[0\]\.key holds an expression with an error/,
  ],
  ["celPreconditions: []", /celPreconditions cannot stand in a generate rule.*write preconditions/],
  ["context: [{name: request, variable: {value: a}}]", /"request" cannot be used as the name/],
  ["context: [{name: x, variable: {}}]", /needs value or jmesPath/],
  ["context: [{name: x, globalReference: {jmesPath: y}}]", /globalReference\.name is missing/],
  ["context: [{name: x, globalReference: {name: y, jmesPath: 'a['}}]", /globalReference\.jmesPath holds an expression/],
  ["context: [{name: x, imageRegistry: {}}]", /courier calls nothing outside the cluster/],
  ["context: [{name: x, apiCall: {service: {url: 'https://x'}}}]", /service is not supported: courier only GETs/],
  ["context: [{name: x, apiCall: {urlPath: /api, method: POST}}]", /only GET is supported/],
  ["context: [{name: x}]", /needs one of variable, configMap, apiCall/],
  ["generate: {}", /generate\.apiVersion is missing.*generate\.kind is missing.*generate\.name is missing/],
  ["generate: {apiVersion: v1, kind: A, name: a, clone: {}}", /generate\.clone\.name is missing/],
  ["generate: {apiVersion: v1, kind: A, name: a, clone: {name: b}, data: {}}", /generate has data and clone: only one/],
  ["generate: {cloneList: {kinds: []}}", /generate\.cloneList\.kinds names no kind/],
  ["generate: {name: a, cloneList: {kinds: [v1/Secret]}}", /generate\.name stands beside cloneList/],
  ["generate: {cloneList: {kinds: [Pod/exec]}}", /cloneList\.kinds\[0\] names the subresource/],
  [
    "generate: {apiVersion: v1, kind: '{{ a }}', name: a, synchronize: true}",
    /generate\.kind must be plain text where synchronize is true/,
  ],
  ["generate: {foreach: []}", /^spec\.rules\[0\]\.generate\.foreach has no entry$/],
  ["generate: {foreach: [{apiVersion: v1, kind: A, name: a}]}", /foreach\[0\]\.list is missing/],
  [
    "generate: {foreach: [{list: 'a.', apiVersion: v1, kind: A, name: a}]}",
    /foreach\[0\]\.list holds an expression with an error/,
  ],
  [
    "generate: {foreach: [{list: a, apiVersion: v1, kind: A, name: a, cloneList: {}}]}",
    /foreach\[0\]\.cloneList\.kinds names no kind/,
  ],
  [
    "generate: {name: a, foreach: [{list: a, apiVersion: v1, kind: A, name: a}]}",
    /generate\.name stands beside foreach/,
  ],
  ["generate: {apiVersion: v1, kind: A, name: a, nmespace: b}", /generate\.nmespace is not supported/],
  [
    "generate: {apiVersion: v1, kind: A, name: a, data: {x: '{{ nothing(a) }}'}}",
    /generate\.data\.x holds an expression.*no function nothing\(\)/,
  ],
  [
    "generate: {apiVersion: v1, kind: A, name: a, data: {x: '$(./y)'}}",
    /holds the reference \$\(\.\/y\), which is not supported/,
  ],
  [
    "generate: {apiVersion: v1, kind: A, name: a, data: {x: '{{@}}'}}",
    /only has a meaning in mutate and validate rules/,
  ],
  ["skipBackgroundRequests: maybe", /must be true or false and is a string/],
  ["validate: {}", /stands beside generate/],
];

for (const [yaml, message] of REFUSED) {
  test(`${yaml} is refused`, () => assert.throws(() => policyOf(yaml), { name: "PolicyError", message }));
}

const REFUSED_SPEC: [object, RegExp][] = [
  [{ admission: false }, /spec\.admission is false, which Kyverno refuses beside generate rules/],
  [{ generateExistingOnPolicyUpdate: true }, /generateExistingOnPolicyUpdate .* write generateExisting: true/],
  [
    { webhookConfiguration: { matchConditions: [{ name: "a", expression: "true" }] } },
    /webhookConfiguration\.matchConditions cannot be evaluated.*write preconditions/,
  ],
];

for (const [spec, message] of REFUSED_SPEC) {
  test(`spec ${JSON.stringify(spec)} is refused`, async () => {
    const policy = await guidePolicy();
    const changed = { ...policy, spec: { ...(policy["spec"] as object), ...spec } };
    assert.throws(() => parsePolicy(changed), { name: "PolicyError", message });
  });
}

/** What a Policy of namespace "mine" says in plain text about other namespaces. */
const OUTSIDE: [string, RegExp][] = [
  [
    "generate: {apiVersion: v1, kind: A, name: a, namespace: b}",
    /generate\.namespace is "b" .* only in its own namespace "mine"/,
  ],
  ["generate: {apiVersion: v1, kind: A, name: a}", /generate\.namespace is missing .* "mine"/],
  [
    "generate: {apiVersion: v1, kind: A, name: a, namespace: mine, clone: {namespace: b, name: c}}",
    /generate\.clone\.namespace is "b" and a Policy copies only/,
  ],
  [
    "generate: {foreach: [{list: a, namespace: mine, cloneList: {namespace: b, kinds: [v1/Secret]}}]}",
    /foreach\[0\]\.cloneList\.namespace is "b"/,
  ],
  ["context: [{name: x, configMap: {name: a, namespace: b}}]", /configMap\.namespace is "b" and a Policy reads only/],
  ["context: [{name: x, apiCall: {urlPath: /api/v1/namespaces}}]", /urlPath .* only paths below \/namespaces\/mine\//],
];

for (const [yaml, message] of OUTSIDE) {
  test(`${yaml} is refused in a Policy, not in a ClusterPolicy`, () => {
    const own = { kind: "Policy", namespace: "mine" };
    assert.throws(() => policyOf(yaml, own), { name: "PolicyError", message });
    policyOf(yaml);
  });
}

test("a policy opts in to expressions out of values with an annotation, and is warned", () => {
  const annotated = (value: string) => policyOf("name: r", { annotations: { "courier.io/evaluate-values": value } });
  assert.equal(policyOf("name: r").evaluatesValues, false);
  assert.equal(annotated("false").evaluatesValues, false);
  const policy = annotated("true");
  assert.equal(policy.evaluatesValues, true);
  assert.match(policy.warnings[0] ?? "", /who writes an object that the rules read can write expressions/);
  assert.equal(parsePolicy(policy.document).evaluatesValues, true);
  assert.throws(() => annotated("yes"), /courier\.io\/evaluate-values"\] must be "true" or "false" and is "yes"/);
});

test("everything that is wrong is told at once", () => {
  assert.throws(
    () => policyOf("generate: {}\nmatch: {}"),
    (error) => error instanceof PolicyError && error.problems.length === 4,
  );
});

test("the guide's policy is read without a warning", async () => {
  const policy = policyOf("name: x");
  assert.deepEqual(policy.warnings, []);
  assert.equal((await guidePolicy()).kind, "ClusterPolicy");
});

test("filters by users are warned about", () => {
  const [warning] = policyOf("exclude: {any: [{clusterRoles: [cluster-admin]}]}").warnings;
  assert.match(warning ?? "", /spec\.rules\[0\] filters by users/);
});

test("messages that would be made again after delivery are warned about", () => {
  const generate = "generate: {apiVersion: a/v1, kind: NotificationMessage, name: a, namespace: b, synchronize: true}";
  assert.match(policyOf(generate).warnings[0] ?? "", /would be made and sent again/);
  const match = "match: {any: [{resources: {kinds: [ConfigMap], operations: [UPDATE]}}]}";
  assert.deepEqual(policyOf(`${generate}\n${match}`).warnings, []);
});

test("files and directories give their policies, and problems with the line they stand in", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "courier-policies-"));
  t.after(() => rm(directory, { recursive: true }));
  const policy = JSON.stringify(await guidePolicy());
  await writeFile(
    join(directory, "a.yaml"),
    `kind: ConfigMap\n---\n${policy}\n---\n${policy.replace("NotEquals", "Nearly")}\n`,
  );
  await writeFile(join(directory, "b.yml"), "a: 1\nb: [\n");
  await writeFile(join(directory, "c.txt"), "{{{");
  const { policies, problems } = await loadPolicyFiles([directory, join(directory, "none.yaml")]);
  assert.deepEqual(
    policies.map(({ origin }) => origin),
    [`${join(directory, "a.yaml")}:3`],
  );
  assert.deepEqual(
    problems.map(({ origin }) => origin),
    [`${join(directory, "a.yaml")}:5`, `${join(directory, "b.yml")}:3`, join(directory, "none.yaml")],
  );
  assert.match(
    problems[0]?.message ?? "",
    /cannot run: spec\.rules\[0\]\.preconditions\.all\[0\]\.operator is "Nearly"/,
  );
  assert.match(problems[1]?.message ?? "", /Cannot parse YAML/);
  assert.match(problems[2]?.message ?? "", /Cannot read policies from/);
});
