import assert from "node:assert/strict";
import test from "node:test";
import { ScopedWatch } from "../../src/generator/scoped-watch.ts";
import { KubeError } from "../../src/kube/kube-error.ts";

const TYPE = {
  ...{ group: "apps", version: "v1", kind: "Deployment", plural: "deployments", namespaced: true },
  ...{ preferred: true, verbs: [], hasStatus: true },
};
const MESSAGE = `deployments.apps is forbidden: User "system:serviceaccount:cpaas-system:courier-generator" cannot list`;

const PLACES: [namespace: string, RegExp][] = [
  [
    "a",
    /^ServiceAccount cpaas-system\/courier-generator may not watch deployments\.apps in namespace a: apply a Role in namespace a with the verbs get, list and watch on deployments of the API group "apps", and bind it to/,
  ],
  ["", /may not watch deployments\.apps: apply a ClusterRole with the verbs get, list and watch on deployments/],
];

for (const [namespace, expected] of PLACES) {
  test(`a watch of ${namespace || "all namespaces"} that is refused says which Role is missing`, async () => {
    const told = Promise.withResolvers<void>();
    const error = new KubeError({ code: 403, reason: "Forbidden", message: MESSAGE });
    const watch = new ScopedWatch({
      type: TYPE,
      scope: { namespace },
      watch: async (_type, _options, { onState }) => onState?.({ phase: "retrying", error, retryInMs: 1_000 }),
      onObject: async () => {},
      onListed: async () => {},
      onState: told.resolve,
    });
    watch.start();
    await told.promise;
    assert.match(watch.trouble ?? "", expected);
    watch.stop();
  });
}
