import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import packageJson from "../../package.json" with { type: "json" };
import { defaultConfig } from "../../src/config/config.ts";
import { PARTS } from "../../src/generator/checkpoint-store.ts";
import {
  type Binding,
  type CustomResourceDefinition,
  type Deployment,
  find,
  guideFile,
  kustomizationFiles,
  kustomize,
  type Manifest,
  type NetworkPolicy,
  type PodDisruptionBudget,
  ROOT,
  type Role,
  readManifests,
  type Secret,
  type Service,
} from "./manifests.ts";

const API = kustomize("deploy");
const GENERATOR = kustomize("deploy/generator");
const ALL = [...API, ...GENERATOR];
const MESSAGE_GROUPS = ["aitextensions.alauda.io", "aiops.alauda.io"];

/** Each rule as `verbs groups/resources[names]`. */
function grants(role: Role): string[] {
  return role.rules.map(({ verbs, apiGroups, resources, resourceNames }) => {
    const names = resourceNames === undefined ? "" : `[${resourceNames.join(",")}]`;
    return `${verbs.join(",")} ${apiGroups.join("+")}/${resources.join("+")}${names}`;
  });
}

test("the examples are the guide's manifests word for word", {
  skip: guideFile("policy.yaml") === undefined && "the guide's own files are not beside the repository",
}, () => {
  for (const name of ["template.yaml", "source.yaml", "kyverno-rbac.yaml", "policy.yaml"]) {
    assert.equal(readFileSync(join(ROOT, "deploy/examples", name), "utf8"), guideFile(name), name);
  }
});

test("the template that ships is the example's", () => {
  assert.equal(
    readFileSync(join(ROOT, "templates/configmap-change-email-template.yaml"), "utf8"),
    readFileSync(join(ROOT, "deploy/examples/template.yaml"), "utf8"),
  );
});

test("every manifest belongs to a kustomization, but for the Secret that is to be edited, the template's copy and example messages", () => {
  const reached = new Set(
    [
      "deploy",
      "deploy/generator",
      "deploy/examples",
      "deploy/legacy",
      "deploy/disruption-budget",
      "deploy/api-access",
    ].flatMap(kustomizationFiles),
  );
  const files = globSync("{deploy,templates}/**/*.yaml", { cwd: ROOT, exclude: ["templates/examples/*"] });
  assert.deepEqual(files.filter((file) => !file.endsWith("kustomization.yaml") && !reached.has(file)).sort(), [
    "deploy/examples/platform-email-server.example.yaml",
    "deploy/examples/template.yaml",
  ]);
});

test("no part makes an object that needs a CRD of the same part, which kubectl would refuse", () => {
  for (const part of [API, GENERATOR]) {
    const defined = part
      .filter((manifest) => manifest.kind === "CustomResourceDefinition")
      .map((manifest) => (manifest as CustomResourceDefinition).spec.names.kind);
    assert.deepEqual(
      part.filter((manifest) => defined.includes(manifest.kind)),
      [],
    );
  }
});

const checkpoint = "courier-generator-checkpoint";
const checkpoints = [checkpoint, ...Array.from({ length: PARTS }, (_, number) => `${checkpoint}-${number}`)];

/** A replica that cannot write a seat would stand by for nothing. */
const seats = Array.from({ length: defaultConfig("serve", {}).shards }, (_, index) => `courier-api-${index}`);

test("courier-api may read messages, templates and the one Secret, and write status, deletions, Events and its Leases", () => {
  const messages = MESSAGE_GROUPS.join("+");
  assert.deepEqual(grants(find<Role>(API, "ClusterRole", "courier-api")), [
    `get,list,watch,delete ${messages}/notificationmessages`,
    `patch ${messages}/notificationmessages/status`,
    "list,watch ait.alauda.io/notificationtemplates",
    "create,patch events.k8s.io/events",
  ]);
  assert.deepEqual(grants(find<Role>(API, "Role", "courier-api")), [
    "list,watch /secrets[platform-email-server]",
    "create coordination.k8s.io/leases",
    "list,watch coordination.k8s.io/leases",
    "update coordination.k8s.io/leases[courier-api-shards]",
    `get,update coordination.k8s.io/leases[${seats.join(",")}]`,
  ]);
  assert.deepEqual(
    API.filter((manifest) => manifest.kind === "ClusterRoleBinding"),
    [],
  );
});

test("the part for the HTTP API adds the reviews that a token check asks for, and the right to annotate messages", () => {
  const part = kustomize("deploy/api-access");
  assert.deepEqual(grants(find<Role>(part, "ClusterRole", "courier-api-retry")), [
    `patch ${MESSAGE_GROUPS.join("+")}/notificationmessages`,
  ]);
  const bindings = part.filter(({ kind }) => kind.endsWith("Binding")) as Binding[];
  assert.deepEqual(
    bindings.map(({ kind, roleRef, subjects }) => [kind, roleRef.name, subjects[0]?.name]),
    [
      ["ClusterRoleBinding", "system:auth-delegator", "courier-api"],
      ["RoleBinding", "courier-api-retry", "courier-api"],
    ],
  );
});

test("every Secret that a checkpoint may need ships, and none of them with anything in it", () => {
  const shipped = GENERATOR.filter(({ kind }) => kind === "Secret");
  assert.deepEqual(
    shipped.map(({ metadata }) => metadata.name),
    checkpoints,
  );
  assert.ok(shipped.every((secret) => !("data" in secret) && !("stringData" in secret)));
});

test("the generator may read ConfigMaps, policies and a namespace's labels, and write messages, policy status, Events, UpdateRequests, its Lease and its checkpoint", () => {
  assert.deepEqual(grants(find<Role>(GENERATOR, "ClusterRole", "courier-generator")), [
    "get,list,watch /configmaps",
    "get /namespaces",
    "list,watch kyverno.io/clusterpolicies+policies",
    "get kyverno.io/globalcontextentries",
    "patch kyverno.io/clusterpolicies/status+policies/status",
    "create,patch events.k8s.io/events",
  ]);
  assert.deepEqual(grants(find<Role>(GENERATOR, "Role", "courier-generator")), [
    `create,watch ${MESSAGE_GROUPS.join("+")}/notificationmessages`,
    "create coordination.k8s.io/leases",
    "get,update coordination.k8s.io/leases[courier-generator]",
    `get,patch /secrets[${checkpoints.join(",")}]`,
  ]);
  assert.deepEqual(grants(find<Role>(GENERATOR, "Role", "courier-generator-kyverno")), [
    "create,list,delete kyverno.io/updaterequests",
    "patch kyverno.io/updaterequests/status",
    "get apps/deployments[kyverno-background-controller]",
    "get coordination.k8s.io/leases[kyverno-background-controller]",
  ]);
});

test("every role is bound, to a ServiceAccount that is there", () => {
  const roles = ALL.filter(({ kind }) => kind === "Role" || kind === "ClusterRole");
  const bindings = ALL.filter(({ kind }) => kind === "RoleBinding" || kind === "ClusterRoleBinding") as Binding[];
  assert.deepEqual(
    bindings.map(({ roleRef }) => `${roleRef.kind}/${roleRef.name}`).sort(),
    roles.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort(),
  );
  for (const binding of bindings) {
    for (const subject of binding.subjects) {
      assert.equal(find(ALL, "ServiceAccount", subject.name).metadata.namespace, subject.namespace);
    }
  }
});

for (const [deployment, account] of [
  [find<Deployment>(API, "Deployment", "courier-api"), "courier-api"],
  [find<Deployment>(GENERATOR, "Deployment", "courier-generator"), "courier-generator"],
] as const) {
  const pod = deployment.spec.template.spec;
  const [container, ...others] = pod.containers;
  assert.ok(container !== undefined && others.length === 0, `${account} is one container`);

  test(`${account} runs as the restricted Pod Security Standard wants it, with a read-only root`, () => {
    assert.equal(pod.serviceAccountName, account);
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.ok(pod.securityContext.runAsUser > 0);
    assert.deepEqual(pod.securityContext.seccompProfile, { type: "RuntimeDefault" });
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    for (const field of ["hostNetwork", "hostPID", "hostIPC", "volumes"]) assert.ok(!(field in pod), field);
  });

  test(`${account} has probes, requests and limits`, () => {
    assert.equal(container.livenessProbe.httpGet.path, "/healthz");
    assert.equal(container.readinessProbe.httpGet.path, "/readyz");
    for (const bound of ["requests", "limits"] as const) {
      assert.deepEqual(Object.keys(container.resources[bound]).sort(), ["cpu", "memory"]);
    }
  });

  test(`${account} is met by its Service and its NetworkPolicy`, () => {
    const part = account === "courier-api" ? API : GENERATOR;
    const labels = deployment.spec.template.metadata.labels;
    const selectors = [
      deployment.spec.selector.matchLabels,
      find<Service>(part, "Service", account).spec.selector,
      find<NetworkPolicy>(part, "NetworkPolicy", account).spec.podSelector.matchLabels,
    ];
    for (const selector of selectors) {
      assert.equal(Object.keys(selector).length, 2);
      for (const [key, value] of Object.entries(selector)) assert.equal(labels[key], value);
    }
  });

  test(`${account} is of the package's version`, () => {
    assert.equal(container.image, `courier:${packageJson.version}`);
    assert.equal(deployment.spec.template.metadata.labels["app.kubernetes.io/version"], packageJson.version);
  });
}

test("courier-api has two replicas, and a budget that keeps one of them", () => {
  assert.equal(find<Deployment>(API, "Deployment", "courier-api").spec.replicas, 2);
  const budget = find<PodDisruptionBudget>(kustomize("deploy/disruption-budget"), "PodDisruptionBudget", "courier-api");
  assert.equal(budget.spec.minAvailable, 1);
  assert.deepEqual(
    budget.spec.selector.matchLabels,
    find<Deployment>(API, "Deployment", "courier-api").spec.selector.matchLabels,
  );
});

test("everything but the namespace and the CRDs carries the version in its labels", () => {
  for (const manifest of [...ALL, ...kustomize("deploy/disruption-budget"), ...kustomize("deploy/api-access")]) {
    if (manifest.kind === "Namespace" || manifest.kind === "CustomResourceDefinition") continue;
    assert.equal(manifest.metadata.labels?.["app.kubernetes.io/version"], packageJson.version, manifest.metadata.name);
  }
});

test("both groups of NotificationMessage have the same schema and columns, and nfm means the guide's", () => {
  const crd = (part: Manifest[], group: string) =>
    find<CustomResourceDefinition>(part, "CustomResourceDefinition", `notificationmessages.${group}`);
  const current = crd(API, "aitextensions.alauda.io");
  const legacy = crd(kustomize("deploy/legacy"), "aiops.alauda.io");
  const text = ({ spec }: CustomResourceDefinition, group: string) =>
    JSON.stringify(spec.versions).replaceAll(group, "GROUP");
  assert.equal(text(legacy, "aiops.alauda.io"), text(current, "aitextensions.alauda.io"));
  assert.deepEqual(current.spec.names.shortNames, ["nfm"]);
  assert.equal(legacy.spec.names.shortNames, undefined);
});

test("kubectl get nfm shows phase, ready, recipients, reason and age", () => {
  const name = "notificationmessages.aitextensions.alauda.io";
  const crd = find<CustomResourceDefinition>(API, "CustomResourceDefinition", name);
  assert.deepEqual(
    crd.spec.versions[0]?.additionalPrinterColumns.map((column) => column.name),
    ["Phase", "Ready", "Recipients", "Reason", "Age"],
  );
});

test("the example Secret has every key that the platform's e-mail server has, and its labels", () => {
  const manifests = readManifests("deploy/examples/platform-email-server.example.yaml");
  const secret = find<Secret>(manifests, "Secret", "platform-email-server");
  assert.equal(secret.type, "NotificationServer");
  assert.deepEqual(secret.metadata.labels, {
    "cpaas.io/notification.server.type": "Email",
    "cpaas.io/notification.server.category": "Email",
  });
  assert.deepEqual(
    Object.keys(secret.stringData).sort(),
    "displayNameEn displayNameZh from host insecureSkipVerify password port sslEnabled username".split(" "),
  );
});
