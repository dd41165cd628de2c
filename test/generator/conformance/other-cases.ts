import { type Case, NAMESPACES } from "./data-cases.ts";
import { configMap, policy } from "./manifests.ts";

/** What is neither about data nor about copies alone. */
export const OTHER_CASES: readonly Case[] = [
  [
    "a new namespace gets its NetworkPolicy, and gets it back",
    async (stage) => {
      await stage.apply(
        policy(`
    - name: default-deny
      match: {any: [{resources: {kinds: [Namespace], names: ['%x']}}]}
      generate:
        synchronize: true
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        name: default-deny
        namespace: '{{request.object.metadata.name}}'
        data: {spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}`),
      );
      await stage.ready();
      await stage.apply("{apiVersion: v1, kind: Namespace, metadata: {name: '%x'}}");
      const wanted =
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: default-deny, namespace: '%x'}, spec: {policyTypes: [Ingress, Egress]}}";
      await stage.expect(wanted);
      await stage.delete("NetworkPolicy %x/default-deny");
      await stage.expect(wanted);
    },
  ],
  [
    "a cluster-scoped target: a ClusterRole for a ConfigMap, which goes with it",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(
        policy(`
    - name: role
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [trigger]}}]}
      generate:
        synchronize: true
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        name: '%role'
        data: {rules: [{apiGroups: [''], resources: [configmaps], verbs: [get]}]}`),
      );
      await stage.ready();
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: '%role'}, rules: [{apiGroups: [''], resources: [configmaps], verbs: [get]}]}",
      );
      await stage.delete("ConfigMap %a/trigger");
      await stage.gone("ClusterRole %role");
    },
  ],
  [
    "a rule that names DELETE generates when its trigger goes",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(
        policy(`
    - name: farewell
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], operations: [DELETE]}}]}
      generate:
        apiVersion: v1
        kind: ConfigMap
        name: 'gone-{{ request.oldObject.metadata.name }}'
        namespace: '%b'
        data: {data: {last: '{{ request.object.data.said }}', operation: '{{ request.operation }}'}}
    - name: welcome
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], operations: [CREATE]}}]}
      generate: {apiVersion: v1, kind: ConfigMap, name: welcome, namespace: '%b', data: {}}`),
      );
      await stage.ready();
      await stage.apply(configMap("trigger", "{said: hello}"));
      await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: welcome, namespace: '%b'}}");
      await stage.delete("ConfigMap %a/trigger");
      await stage.expect(configMap("gone-trigger", "{last: hello, operation: DELETE}", "b"));
    },
  ],
  [
    "preconditions decide by the change, and a target goes when they are not met any more",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(
        policy(`
    - name: critical
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a']}}]}
      preconditions: {any: [{key: "{{ request.object.data.level || '' }}", operator: AnyIn, value: [high, critical]}]}
      generate:
        synchronize: true
        apiVersion: v1
        kind: ConfigMap
        name: alarm-{{ request.object.metadata.name }}
        namespace: '%b'
        data: {data: {level: '{{ request.object.data.level }}'}}`),
      );
      await stage.ready();
      await stage.apply(configMap("one", "{level: low}"));
      await stage.apply(configMap("two", "{level: high}"));
      await stage.expect(configMap("alarm-two", "{level: high}", "b"));
      await stage.absent("ConfigMap %b/alarm-one");
      await stage.apply(configMap("one", "{level: critical}"));
      await stage.expect(configMap("alarm-one", "{level: critical}", "b"));
      await stage.apply(configMap("two", "{level: low}"));
      await stage.gone("ConfigMap %b/alarm-two");
    },
  ],
  [
    "foreach: a target for each element that its preconditions let through, restored one by one",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(
        policy(`
    - name: each
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [trigger]}}]}
      generate:
        synchronize: true
        foreach:
          - list: split(request.object.data.zones, ',')
            context: [{name: zone, variable: {value: '{{ trim(element, \\' \\') }}'}}]
            preconditions: {all: [{key: '{{ zone }}', operator: NotEquals, value: skip}]}
            apiVersion: v1
            kind: ConfigMap
            name: zone-{{ zone }}
            namespace: '%b'
            data: {data: {index: '{{ to_string(elementIndex) }}'}}`).replaceAll("\\'", "''"),
      );
      await stage.ready();
      await stage.apply(configMap("trigger", "{zones: 'red, skip, blue'}"));
      await stage.expect(configMap("zone-red", "{index: '0'}", "b"));
      await stage.expect(configMap("zone-blue", "{index: '2'}", "b"));
      await stage.absent("ConfigMap %b/zone-skip");
      await stage.delete("ConfigMap %b/zone-red");
      await stage.expect(configMap("zone-red", "{index: '0'}", "b"));
      await stage.delete("ConfigMap %a/trigger");
      await stage.gone("ConfigMap %b/zone-red");
      await stage.gone("ConfigMap %b/zone-blue");
    },
  ],
  [
    "context: a ConfigMap, an API call and a variable are at hand",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(configMap("owners", "{team: payment}", "b"));
      await stage.apply(
        policy(`
    - name: context
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [trigger]}}]}
      context:
        - name: owners
          configMap: {name: owners, namespace: '%b'}
        - name: count
          apiCall: {urlPath: "/api/v1/namespaces/{{ request.namespace }}/configmaps", jmesPath: "items[?metadata.name == 'trigger'] | length(@)"}
        - name: title
          variable: {value: '{{ owners.data.team }} has {{ count }}'}
      generate:
        apiVersion: v1
        kind: ConfigMap
        name: context
        namespace: '%b'
        data: {data: {title: '{{ title }}'}}`),
      );
      await stage.ready();
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(configMap("context", "{title: payment has 1}", "b"));
    },
  ],
  [
    "rules of one policy are independent: one that fails leaves the next",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const rule = (name: string, value: string) => `
    - name: ${name}
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [trigger]}}]}
      generate: {apiVersion: v1, kind: ConfigMap, name: ${name}, namespace: '%b', data: {data: {v: '{{ ${value} }}'}}}`;
      await stage.apply(policy(rule("first", "request.object.data.absent") + rule("second", "request.name")));
      await stage.ready();
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(configMap("second", "{v: trigger}", "b"));
      await stage.absent("ConfigMap %b/first");
    },
  ],
  [
    "skipBackgroundRequests: false lets what one rule makes trigger another",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const rule = (name: string, from: string, to: string, skip: boolean) => `
    - name: ${name}
      skipBackgroundRequests: ${skip}
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [${from}]}}]}
      generate: {apiVersion: v1, kind: ConfigMap, name: ${to}, namespace: '%a', data: {}}`;
      await stage.apply(
        policy(
          rule("one", "first", "second", true) +
            rule("two", "second", "third", false) +
            rule("three", "third", "fourth", true),
        ),
      );
      await stage.ready();
      await stage.apply(configMap("first", "{}"));
      await stage.expect(configMap("third", "{}").replace(", data: {}", ""));
      await stage.absent("ConfigMap %a/fourth");
    },
  ],
  [
    "exclude, and a namespaceSelector, decide by labels",
    async (stage) => {
      await stage.apply("{apiVersion: v1, kind: Namespace, metadata: {name: '%a', labels: {tier: '%a'}}}");
      await stage.apply("{apiVersion: v1, kind: Namespace, metadata: {name: '%b'}}");
      await stage.apply(
        policy(`
    - name: labelled
      match: {any: [{resources: {kinds: [ConfigMap], namespaceSelector: {matchLabels: {tier: '%a'}}}}]}
      exclude: {any: [{resources: {names: ['no-*', kube-root-ca.crt]}}]}
      generate: {apiVersion: v1, kind: ConfigMap, name: 'for-{{ request.name }}', namespace: '%b', data: {}}`),
      );
      await stage.ready();
      await stage.apply(configMap("no-one", "{}"));
      await stage.apply(configMap("elsewhere", "{}", "b"));
      await stage.apply(configMap("one", "{}"));
      await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: for-one, namespace: '%b'}}");
      await stage.absent("ConfigMap %b/for-no-one");
      await stage.absent("ConfigMap %b/for-elsewhere");
    },
  ],
];
