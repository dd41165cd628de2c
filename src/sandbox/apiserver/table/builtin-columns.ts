import type { KubeObject } from "../../../resources/object.ts";
import type { Column } from "../resources/resource.ts";
import {
  AGE,
  at,
  CREATED_AT,
  column,
  countAt,
  labelSelectorText,
  listAt,
  NAME,
  selectorText,
  textAt,
} from "./columns.ts";
import { age } from "./duration.ts";

/** The columns that `kubectl get` shows of the built-in kinds, by kind; kinds without an entry show name and age. */
export const BUILTIN_COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  ConfigMap: [
    NAME,
    column("Data", "Data contains the configuration data.", (o) => countAt(o, "data") + countAt(o, "binaryData")),
    AGE,
  ],
  Secret: [
    NAME,
    column("Type", "Used to facilitate programmatic handling of secret data.", (o) => textAt(o, "type")),
    column("Data", "Data contains the secret data.", (o) => countAt(o, "data")),
    AGE,
  ],
  Namespace: [NAME, column("Status", "The status of the namespace", (o) => textAt(o, "status", "phase")), AGE],
  ServiceAccount: [
    NAME,
    column("Secrets", "Secrets is the list of secrets allowed to be used.", (o) => listAt(o, "secrets").length),
    AGE,
  ],
  Event: eventColumns(),
  Lease: [
    NAME,
    column("Holder", "holderIdentity contains the identity of the holder.", (o) => textAt(o, "spec", "holderIdentity")),
    AGE,
  ],
  Role: [NAME, CREATED_AT],
  ClusterRole: [NAME, CREATED_AT],
  RoleBinding: bindingColumns(),
  ClusterRoleBinding: bindingColumns(),
  NetworkPolicy: [
    NAME,
    column("Pod-Selector", "Selects the pods to which this policy applies.", (o) =>
      labelSelectorText(at(o, "spec", "podSelector")),
    ),
    AGE,
  ],
  PodDisruptionBudget: [
    NAME,
    column("Min Available", "Pods that must stay available.", (o) => textAt(o, "spec", "minAvailable") || "N/A"),
    column("Max Unavailable", "Pods that may be unavailable.", (o) => textAt(o, "spec", "maxUnavailable") || "N/A"),
    integer("Allowed Disruptions", "Pods that may be evicted now.", (o) =>
      Number(at(o, "status", "disruptionsAllowed") ?? 0),
    ),
    AGE,
  ],
  CustomResourceDefinition: [NAME, CREATED_AT],
  Deployment: deploymentColumns(),
  Pod: podColumns(),
  Service: serviceColumns(),
};

function integer(name: string, description: string, cell: Column["cell"]): Column {
  return { name, type: "integer", description, priority: 0, cell };
}

/** Events are stored in the core group's form; the other group's are turned into it before they are shown. */
function eventColumns(): Column[] {
  const seen = (o: KubeObject, field: string) => at(o, field) ?? at(o, "eventTime") ?? undefined;
  const involved = (o: KubeObject) =>
    `${textAt(o, "involvedObject", "kind").toLowerCase()}/${textAt(o, "involvedObject", "name")}`;
  const component = (o: KubeObject) => textAt(o, "source", "component") || textAt(o, "reportingComponent");
  const source = (o: KubeObject) =>
    [component(o), textAt(o, "source", "host")].filter((part) => part !== "").join(", ");
  const last = (o: KubeObject) => at(o, "series", "lastObservedTime") ?? seen(o, "lastTimestamp");
  return [
    column("Last Seen", "The time at which the most recent occurrence of this event was recorded.", (o, now) =>
      age(last(o), now),
    ),
    column("Type", "Type of this event (Normal, Warning).", (o) => textAt(o, "type")),
    column("Reason", "Why the transition was made, as a machine understands it.", (o) => textAt(o, "reason")),
    column("Object", "The object that this event is about.", involved),
    column("Subobject", "The part of the object.", (o) => textAt(o, "involvedObject", "fieldPath"), 1),
    column("Source", "The component reporting this event.", source, 1),
    column("Message", "A description for people.", (o) => textAt(o, "message").trim()),
    column(
      "First Seen",
      "The time at which the event was first recorded.",
      (o, now) => age(seen(o, "firstTimestamp"), now),
      1,
    ),
    column(
      "Count",
      "The number of times this event has occurred.",
      (o) => textAt(o, "series", "count") || textAt(o, "count") || "1",
      1,
    ),
    { ...NAME, priority: 1 },
  ];
}

function bindingColumns(): Column[] {
  const subjects = (o: KubeObject, kind: string) => listAt(o, "subjects").filter((subject) => subject.kind === kind);
  const names = (kind: string) => (o: KubeObject) =>
    subjects(o, kind)
      .map(({ name }) => String(name))
      .join(", ");
  const accounts = (o: KubeObject) =>
    subjects(o, "ServiceAccount")
      .map(({ namespace, name }) => `${namespace}/${name}`)
      .join(", ");
  return [
    NAME,
    column("Role", "The role that is bound.", (o) => `${textAt(o, "roleRef", "kind")}/${textAt(o, "roleRef", "name")}`),
    AGE,
    column("Users", "Users in the binding.", names("User"), 1),
    column("Groups", "Groups in the binding.", names("Group"), 1),
    column("ServiceAccounts", "ServiceAccounts in the binding, with their namespace.", accounts, 1),
  ];
}

function deploymentColumns(): Column[] {
  const count = (o: KubeObject, ...path: string[]) => Number(at(o, ...path) ?? 0);
  const containers = (o: KubeObject) => listAt(o, "spec", "template", "spec", "containers");
  return [
    NAME,
    column(
      "Ready",
      "Ready pods of those wanted.",
      (o) => `${count(o, "status", "readyReplicas")}/${count(o, "spec", "replicas")}`,
    ),
    column("Up-to-date", "Pods of the newest template.", (o) => count(o, "status", "updatedReplicas")),
    column("Available", "Pods available.", (o) => count(o, "status", "availableReplicas")),
    AGE,
    column(
      "Containers",
      "Names of the containers.",
      (o) =>
        containers(o)
          .map(({ name }) => name)
          .join(","),
      1,
    ),
    column(
      "Images",
      "Images of the containers.",
      (o) =>
        containers(o)
          .map(({ image }) => image)
          .join(","),
      1,
    ),
    column("Selector", "Label selector of the pods.", (o) => labelSelectorText(at(o, "spec", "selector")), 1),
  ];
}

function podColumns(): Column[] {
  const statuses = (o: KubeObject) => listAt(o, "status", "containerStatuses");
  const ready = (o: KubeObject) => statuses(o).filter((status) => status.ready === true).length;
  const restarts = (o: KubeObject) => statuses(o).reduce((sum, status) => sum + Number(status.restartCount ?? 0), 0);
  const phase = (o: KubeObject) => textAt(o, "status", "reason") || textAt(o, "status", "phase");
  const orNone =
    (...path: string[]) =>
    (o: KubeObject) =>
      textAt(o, ...path) || "<none>";
  return [
    NAME,
    column("Ready", "Containers ready.", (o) => `${ready(o)}/${listAt(o, "spec", "containers").length}`),
    column("Status", "The state of the containers.", (o) => (o.metadata.deletionTimestamp ? "Terminating" : phase(o))),
    column("Restarts", "How often the containers were restarted.", (o) => String(restarts(o))),
    AGE,
    column("IP", "IP address of the pod.", orNone("status", "podIP"), 1),
    column("Node", "The node that runs the pod.", orNone("spec", "nodeName"), 1),
    column("Nominated Node", "The node that the pod waits for.", orNone("status", "nominatedNodeName"), 1),
    column("Readiness Gates", "Further conditions of readiness.", () => "<none>", 1),
  ];
}

function serviceColumns(): Column[] {
  const port = ({ port, nodePort, protocol = "TCP" }: Record<string, unknown>) =>
    nodePort === undefined ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`;
  return [
    NAME,
    column("Type", "How the Service is exposed.", (o) => textAt(o, "spec", "type")),
    column("Cluster-IP", "The IP address of the Service.", (o) => textAt(o, "spec", "clusterIP") || "<none>"),
    column(
      "External-IP",
      "Addresses outside the cluster.",
      (o) => listAt(o, "spec", "externalIPs").join(",") || "<none>",
    ),
    column("Port(s)", "The ports that are exposed.", (o) => listAt(o, "spec", "ports").map(port).join(",") || "<none>"),
    AGE,
    column("Selector", "Routes traffic to pods with these labels.", (o) => selectorText(at(o, "spec", "selector")), 1),
  ];
}
