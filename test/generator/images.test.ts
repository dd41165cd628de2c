import assert from "node:assert/strict";
import test from "node:test";
import { evaluateRule } from "../../src/generator/evaluate-rule.ts";
import { imagesOf } from "../../src/generator/images.ts";
import type { ResourceType } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { noCluster, policyOf } from "./objects.ts";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;
const POD = typeOf("", "v1", "Pod", "pods");

function typeOf(group: string, version: string, kind: string, plural: string): ResourceType {
  return { group, version, kind, plural, namespaced: true };
}

function objectOf(kind: string, spec: object): KubeObject {
  return { apiVersion: "v1", kind, metadata: { namespace: "a", name: "b", uid: "u" }, spec };
}

test("images of a Pod are told by list and container, with Kyverno's defaults", () => {
  const pod = objectOf("Pod", {
    containers: [
      { name: "web", image: "nginx" },
      { name: "app", image: `ghcr.io/team/app@${DIGEST}` },
      { name: "odd", image: "NOT AN IMAGE" },
    ],
    initContainers: [{ name: "init", image: "localhost:5000/tools/init:v1" }],
  });
  assert.deepEqual(imagesOf(POD, pod), {
    containers: {
      web: {
        registry: "docker.io",
        path: "nginx",
        name: "nginx",
        tag: "latest",
        digest: "",
        reference: "docker.io/nginx:latest",
        referenceWithTag: "docker.io/nginx:latest",
        jsonPointer: "/spec/containers/0/image",
      },
      app: {
        registry: "ghcr.io",
        path: "team/app",
        name: "app",
        tag: "",
        digest: DIGEST,
        reference: `ghcr.io/team/app@${DIGEST}`,
        referenceWithTag: "ghcr.io/team/app",
        jsonPointer: "/spec/containers/1/image",
      },
    },
    initContainers: {
      init: {
        registry: "localhost:5000",
        path: "tools/init",
        name: "init",
        tag: "v1",
        digest: "",
        reference: "localhost:5000/tools/init:v1",
        referenceWithTag: "localhost:5000/tools/init:v1",
        jsonPointer: "/spec/initContainers/0/image",
      },
    },
  });
});

const CONTROLLERS: [ResourceType, (spec: object) => object, string][] = [
  [typeOf("apps", "v1", "Deployment", "deployments"), (spec) => ({ template: { spec } }), "/spec/template/spec"],
  [
    typeOf("batch", "v1", "CronJob", "cronjobs"),
    (spec) => ({ jobTemplate: { spec: { template: { spec } } } }),
    "/spec/jobTemplate/spec/template/spec",
  ],
];

for (const [type, wrap, path] of CONTROLLERS) {
  test(`a ${type.kind} names images of the Pods that it makes`, async () => {
    const object = objectOf(type.kind, wrap({ containers: [{ name: "web", image: "nginx:1.27" }] }));
    const policy = policyOf(`
match: {any: [{resources: {kinds: [${type.kind}]}}]}
generate:
  apiVersion: v1
  kind: ConfigMap
  namespace: out
  name: target
  data: {data: {tag: '{{ images.containers.web.tag }}', at: '{{ images.containers.*.jsonPointer | [0] }}'}}`);
    const [rule] = policy.rules;
    assert.ok(rule);
    const request = { operation: "CREATE", type, object, oldObject: undefined } as const;
    const verdict = await evaluateRule(policy, rule, request, noCluster());
    assert.ok(verdict.outcome === "generate");
    assert.deepEqual(verdict.targets[0]?.["data"], { tag: "1.27", at: `${path}/containers/0/image` });
  });
}

test("other kinds have no images", () => {
  assert.equal(imagesOf(typeOf("", "v1", "ConfigMap", "configmaps"), objectOf("ConfigMap", {})), undefined);
});
