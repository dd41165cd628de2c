import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, parseAllDocuments } from "yaml";

/** The repository's root, an absolute path. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** One document of a manifest file, as far as these tests look into it. */
export interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec?: unknown;
}

export interface Role extends Manifest {
  rules: { apiGroups: string[]; resources: string[]; resourceNames?: string[]; verbs: string[] }[];
}

export interface Binding extends Manifest {
  roleRef: { kind: string; name: string };
  subjects: { name: string; namespace: string }[];
}

export interface Deployment extends Manifest {
  spec: {
    replicas: number;
    selector: { matchLabels: Record<string, string> };
    template: { metadata: { labels: Record<string, string> }; spec: PodSpec };
  };
}

export interface PodSpec {
  serviceAccountName: string;
  securityContext: { runAsNonRoot: boolean; runAsUser: number; seccompProfile: { type: string } };
  containers: Container[];
}

export interface Container {
  image: string;
  livenessProbe: { httpGet: { path: string } };
  readinessProbe: { httpGet: { path: string } };
  resources: Record<"requests" | "limits", Record<string, string>>;
  securityContext: object;
}

export interface CustomResourceDefinition extends Manifest {
  spec: {
    names: { kind: string; shortNames?: string[] };
    versions: { additionalPrinterColumns: { name: string }[] }[];
  };
}

export interface Service extends Manifest {
  spec: { selector: Record<string, string> };
}

export interface NetworkPolicy extends Manifest {
  spec: { podSelector: { matchLabels: Record<string, string> } };
}

export interface PodDisruptionBudget extends Manifest {
  spec: { minAvailable: number; selector: { matchLabels: Record<string, string> } };
}

export interface Secret extends Manifest {
  type: string;
  stringData: Record<string, string>;
}

/** The documents of a YAML file; `path` is relative to the repository. */
export function readManifests(path: string): Manifest[] {
  return parseAllDocuments(readFileSync(join(ROOT, path), "utf8")).map((document) => document.toJS() as Manifest);
}

/** The files that a kustomization leads to, relative to the repository, in its order. */
export function kustomizationFiles(directory: string): string[] {
  const { resources } = parse(readFileSync(join(ROOT, directory, "kustomization.yaml"), "utf8")) as {
    resources: string[];
  };
  return resources.flatMap((resource) => {
    const path = join(directory, resource);
    return statSync(join(ROOT, path)).isDirectory() ? kustomizationFiles(path) : [path];
  });
}

/** The one document of its kind and name; the caller says what shape that kind has. */
export function find<Kind extends Manifest>(manifests: Manifest[], kind: string, name: string): Kind {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} "${name}" among the manifests`);
  return found as Kind;
}

/** What `kubectl apply -k DIRECTORY` applies. */
export function kustomize(directory: string): Manifest[] {
  return kustomizationFiles(directory).flatMap(readManifests);
}

/** A file of the guide's own manifests beside the repository, where they are. */
export function guideFile(name: string): string | undefined {
  const path = resolve(dirname(fileURLToPath(import.meta.url)), "../../../shared/seed", name);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
