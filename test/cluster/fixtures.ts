import type { TestContext } from "node:test";
import { type Body, call, create, get, ok } from "./client.ts";

const WAIT_MS = 20_000;
const POLL_MS = 50;

/** A name that no other test uses. */
export function uniqueName(stem: string): string {
  return `${stem}-${Date.now().toString(36)}${Math.floor(Math.random() * 36 ** 5).toString(36)}`;
}

/** A namespace of the test's own, deleted at its end. `path` is that of its core resources. */
export async function makeNamespace(t: TestContext): Promise<{ name: string; path: string; configMaps: string }> {
  const name = uniqueName("conformance");
  await create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  t.after(async () => {
    // A bare API server has no controller that would empty a namespace
    await call("DELETE", `/api/v1/namespaces/${name}/configmaps`);
    await call("DELETE", `/api/v1/namespaces/${name}`);
  });
  const path = `/api/v1/namespaces/${name}`;
  return { name, path, configMaps: `${path}/configmaps` };
}

export function configMap(name: string, fields: object = {}, metadata: object = {}): Body {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, ...fields };
}

export const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

export interface DefinitionOptions {
  schema?: object;
  /** Added to the one version's fields. */
  version?: object;
  names?: object;
  scope?: "Namespaced" | "Cluster";
  moreVersions?: object[];
}

/** A CustomResourceDefinition of Widgets in a group of its own, not yet created. */
export function definition(options: DefinitionOptions = {}): { group: string; manifest: Body } {
  const group = `${uniqueName("g")}.example.com`;
  const { schema = { type: "object" }, version, names, scope = "Namespaced", moreVersions = [] } = options;
  const first = { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version };
  const spec = {
    group,
    scope,
    names: { plural: "widgets", kind: "Widget", ...names },
    versions: [first, ...moreVersions],
  };
  const metadata = { name: `widgets.${group}` };
  return {
    group,
    manifest: { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata, spec },
  };
}

export interface Widgets {
  group: string;
  /** Of the definition itself. */
  definition: string;
  /** Of the widgets in the test's namespace. */
  path: string;
  namespace: string;
  make(name: string, fields?: object, metadata?: object): Body;
}

/** Widgets with this schema, served, in a namespace of the test's own; both go at its end. */
export async function makeWidgets(t: TestContext, options: DefinitionOptions = {}): Promise<Widgets> {
  const { name: namespace } = await makeNamespace(t);
  const { group, manifest } = definition(options);
  const path = `/apis/${group}/v1/namespaces/${namespace}/widgets`;
  await create(DEFINITIONS, manifest);
  const at = `${DEFINITIONS}/${manifest.metadata.name}`;
  t.after(async () => {
    await call("DELETE", at);
  });
  await established(at);
  await until(`${path} is served`, async () => (await call("GET", path)).code === 200);
  await served(path);
  const make = (name: string, fields: object = {}, metadata: object = {}) => ({
    apiVersion: `${group}/v1`,
    kind: "Widget",
    metadata: { name, ...metadata },
    ...fields,
  });
  return { group, definition: at, path, namespace, make };
}

/** Waits until the definition is accepted. */
export async function established(path: string): Promise<Body> {
  let found: Body;
  await until(`${path} is established`, async () => {
    found = await get(path);
    const conditions: { type: string; status: string }[] = found.status?.conditions ?? [];
    return conditions.some(({ type, status }) => type === "Established" && status === "True");
  });
  return found;
}

/** A real server takes writes to a new kind only some time after its lists: waits until one passes. */
async function served(path: string): Promise<void> {
  const body = { apiVersion: path.split("/").slice(2, 4).join("/"), kind: "Widget", metadata: { name: "probe" } };
  await until(`${path} takes writes`, async () => {
    const { code } = await call("POST", `${path}?dryRun=All`, { body });
    return code !== 404 && code !== 405 && code < 500;
  });
}

/** Asks again and again until the answer is yes. @throws after 20 s, naming what was waited for */
export async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`Waited 20 s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The version that the server says it has: `[1, 20]`. */
export async function serverVersion(): Promise<[major: number, minor: number]> {
  const { major, minor } = await ok("GET", "/version");
  return [Number.parseInt(major, 10), Number.parseInt(minor, 10)];
}
