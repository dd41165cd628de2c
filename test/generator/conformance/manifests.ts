/** A policy of these rules, which begin with a line of `    - name: …`. @param spec more of its spec, in one line */
export function policy(rules: string, kind: "ClusterPolicy" | "Policy" = "ClusterPolicy", spec = ""): string {
  return `
apiVersion: kyverno.io/v1
kind: ${kind}
metadata: {name: '%p'${kind === "Policy" ? ", namespace: '%a'" : ""}}
spec:
  ${spec}
  rules:${rules}
`;
}

export function configMap(name: string, data: string, namespace = "a"): string {
  return `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: '%${namespace}'}, data: ${data}}`;
}
