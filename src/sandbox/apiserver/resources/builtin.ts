import { CUSTOM_RESOURCE_DEFINITION_RULES } from "../kinds/custom-resource-definition.ts";
import { EVENT_RULES, EVENTS_FORM } from "../kinds/event.ts";
import { CONFIG_MAP_RULES, SECRET_RULES } from "../kinds/secret.ts";
import {
  BINDING_RULES,
  LEASE_RULES,
  NAMESPACE_RULES,
  NETWORK_POLICY_RULES,
  POD_DISRUPTION_BUDGET_RULES,
  ROLE_RULES,
  SERVICE_ACCOUNT_RULES,
} from "../kinds/simple.ts";
import { DEPLOYMENT_RULES, POD_RULES, SERVICE_RULES } from "../kinds/workloads.ts";
import { definitionName, inlineDefinition } from "../openapi/definitions.ts";
import { BUILTIN_COLUMNS } from "../table/builtin-columns.ts";
import { AGE, NAME } from "../table/columns.ts";
import { lazySchema } from "./kind-schema.ts";
import type { KindRules, Resource, StoredForm } from "./resource.ts";

interface Row {
  group?: string;
  kind: string;
  plural: string;
  cluster?: true;
  shortNames?: string[];
  categories?: string[];
  hasStatus?: true;
  rules: KindRules;
  /** Collection and form, where another group stores the objects. */
  storedIn?: string;
  form?: StoredForm;
}

const RBAC = "rbac.authorization.k8s.io";

const ROWS: readonly Row[] = [
  { kind: "ConfigMap", plural: "configmaps", shortNames: ["cm"], rules: CONFIG_MAP_RULES },
  { kind: "Event", plural: "events", shortNames: ["ev"], rules: EVENT_RULES },
  {
    kind: "Namespace",
    plural: "namespaces",
    cluster: true,
    shortNames: ["ns"],
    hasStatus: true,
    rules: NAMESPACE_RULES,
  },
  { kind: "Pod", plural: "pods", shortNames: ["po"], categories: ["all"], hasStatus: true, rules: POD_RULES },
  { kind: "Secret", plural: "secrets", rules: SECRET_RULES },
  { kind: "ServiceAccount", plural: "serviceaccounts", shortNames: ["sa"], rules: SERVICE_ACCOUNT_RULES },
  {
    kind: "Service",
    plural: "services",
    shortNames: ["svc"],
    categories: ["all"],
    hasStatus: true,
    rules: SERVICE_RULES,
  },
  {
    group: "apps",
    kind: "Deployment",
    plural: "deployments",
    shortNames: ["deploy"],
    categories: ["all"],
    hasStatus: true,
    rules: DEPLOYMENT_RULES,
  },
  {
    group: "events.k8s.io",
    kind: "Event",
    plural: "events",
    shortNames: ["ev"],
    rules: EVENT_RULES,
    storedIn: "/events",
    form: EVENTS_FORM,
  },
  { group: "coordination.k8s.io", kind: "Lease", plural: "leases", rules: LEASE_RULES },
  {
    group: "networking.k8s.io",
    kind: "NetworkPolicy",
    plural: "networkpolicies",
    shortNames: ["netpol"],
    rules: NETWORK_POLICY_RULES,
  },
  {
    group: "policy",
    kind: "PodDisruptionBudget",
    plural: "poddisruptionbudgets",
    shortNames: ["pdb"],
    hasStatus: true,
    rules: POD_DISRUPTION_BUDGET_RULES,
  },
  { group: RBAC, kind: "ClusterRoleBinding", plural: "clusterrolebindings", cluster: true, rules: BINDING_RULES },
  { group: RBAC, kind: "ClusterRole", plural: "clusterroles", cluster: true, rules: ROLE_RULES },
  { group: RBAC, kind: "RoleBinding", plural: "rolebindings", rules: BINDING_RULES },
  { group: RBAC, kind: "Role", plural: "roles", rules: ROLE_RULES },
  {
    group: "apiextensions.k8s.io",
    kind: "CustomResourceDefinition",
    plural: "customresourcedefinitions",
    cluster: true,
    shortNames: ["crd", "crds"],
    categories: ["api-extensions"],
    hasStatus: true,
    rules: CUSTOM_RESOURCE_DEFINITION_RULES,
  },
];

/** Where the definitions of custom resources are kept. */
export const CRD_COLLECTION = "apiextensions.k8s.io/customresourcedefinitions";

export const NAMESPACE_COLLECTION = "/namespaces";

/** The kinds that every server has, all in v1. */
export function builtinResources(): Resource[] {
  return ROWS.map(toResource);
}

function toResource(row: Row): Resource {
  const { group = "", kind, plural } = row;
  return {
    group,
    version: "v1",
    kind,
    plural,
    singular: kind.toLowerCase(),
    listKind: `${kind}List`,
    namespaced: row.cluster !== true,
    shortNames: row.shortNames ?? [],
    categories: row.categories ?? [],
    custom: false,
    hasStatus: row.hasStatus === true,
    collection: row.storedIn ?? `${group}/${plural}`,
    ...(row.form === undefined ? {} : { form: row.form }),
    rules: row.rules,
    columns: BUILTIN_COLUMNS[kind] ?? [NAME, AGE],
    schema: lazySchema(() => inlineDefinition(definitionName(group, "v1", kind))),
  };
}
