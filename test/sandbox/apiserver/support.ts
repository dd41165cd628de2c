import { request } from "node:https";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { type ApiServer, type ApiServerOptions, startApiServer } from "../../../src/sandbox/apiserver/index.ts";

/** An answer as it came: `body` is parsed when it is JSON. */
export interface Reply {
  code: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape
  body: any;
}

export interface SendOptions {
  type?: string;
  accept?: string;
  /** null sends none. */
  token?: string | null;
}

/** A server with a small HTTP client, stopped after the test. */
export async function startServer(t: TestContext, options: ApiServerOptions = {}): Promise<TestServer> {
  const server = await startApiServer(options);
  t.after(() => server.close());
  return new TestServer(server);
}

export class TestServer {
  readonly api: ApiServer;

  constructor(api: ApiServer) {
    this.api = api;
  }

  get(path: string, options?: SendOptions): Promise<Reply> {
    return this.send("GET", path, undefined, options);
  }

  post(path: string, body: unknown, options?: SendOptions): Promise<Reply> {
    return this.send("POST", path, body, options);
  }

  put(path: string, body: unknown, options?: SendOptions): Promise<Reply> {
    return this.send("PUT", path, body, options);
  }

  /** A merge patch unless `type` says otherwise. */
  patch(path: string, body: unknown, options: SendOptions = {}): Promise<Reply> {
    return this.send("PATCH", path, body, { type: "application/merge-patch+json", ...options });
  }

  delete(path: string, body?: unknown, options?: SendOptions): Promise<Reply> {
    return this.send("DELETE", path, body, options);
  }

  async send(method: string, path: string, body?: unknown, options: SendOptions = {}): Promise<Reply> {
    const content =
      body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    const response = await this.#open(method, path, content, options);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const isJson = response.headers["content-type"]?.startsWith("application/json") && !text.includes("\n");
    return {
      code: response.statusCode ?? 0,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : undefined,
    };
  }

  /** The events of a watch, as they come; ends when the server ends it. */
  async *watch(path: string, options: SendOptions = {}): AsyncGenerator<{ type: string; object: Reply["body"] }> {
    const response = await this.#open("GET", path, undefined, options);
    for await (const line of createInterface({ input: response })) yield JSON.parse(line);
  }

  #open(method: string, path: string, content: string | Uint8Array | undefined, { type, accept, token }: SendOptions) {
    const headers = {
      ...(token === null ? {} : { authorization: `Bearer ${token ?? this.api.token}` }),
      ...(content === undefined
        ? {}
        : { "content-type": type ?? "application/json", "content-length": Buffer.byteLength(content) }),
      ...(accept === undefined ? {} : { accept }),
    };
    return new Promise<import("node:http").IncomingMessage>((resolve, reject) => {
      const outgoing = request(`${this.api.url}${path}`, { method, headers, ca: this.api.caPem }, resolve);
      outgoing.on("error", reject);
      outgoing.end(content);
    });
  }
}

export const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
export const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
export const WIDGETS = "/apis/example.com/v1/namespaces/default/widgets";

export function configMap(name: string, data: Record<string, string> = {}, metadata: object = {}): object {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, data };
}

export function widget(name: string, spec: unknown, metadata: object = {}): object {
  return { apiVersion: "example.com/v1", kind: "Widget", metadata: { name, ...metadata }, spec };
}

/** A definition of Widget: `spec.size` required, a default, a status subresource, columns. */
export function widgetDefinition(spec: object = {}): object {
  const schema = {
    type: "object",
    required: ["spec"],
    properties: {
      spec: {
        type: "object",
        required: ["size"],
        properties: {
          size: { type: "integer", minimum: 0 },
          color: { type: "string", default: "red" },
          extra: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        },
      },
      status: { type: "object", properties: { phase: { type: "string" } } },
    },
  };
  const version = {
    name: "v1",
    served: true,
    storage: true,
    schema: { openAPIV3Schema: schema },
    subresources: { status: {} },
    additionalPrinterColumns: [
      { name: "Phase", type: "string", jsonPath: ".status.phase" },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget", shortNames: ["wd"], categories: ["all"] },
      versions: [version],
      ...spec,
    },
  };
}

/** The next events of a watch, as `TYPE name`. */
export async function take(
  events: AsyncGenerator<{ type: string; object: Reply["body"] }>,
  count: number,
): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const next = await events.next();
    if (next.done) break;
    taken.push(`${next.value.type} ${next.value.object.metadata.name ?? ""}`.trim());
  }
  return taken;
}
