import { EVENT, NOTIFICATION_MESSAGE } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import type { Platform } from "../support/platform.ts";

/** Everything that courier-api has told anybody but the mail server: its log, every status and Event, every page. */
export async function everythingSaid({ client, logs, service }: Platform): Promise<string> {
  const { host, port } = service.address;
  const pages = ["healthz", "readyz", "metrics"].map(async (path) =>
    (await fetch(`http://${host}:${port}/${path}`)).text(),
  );
  const objects: KubeObject[] = [];
  for (const type of [NOTIFICATION_MESSAGE, EVENT]) {
    for await (const { items } of client.listPages(type, {})) objects.push(...items);
  }
  const told = objects.map(({ metadata, spec: _given, ...rest }) => JSON.stringify({ name: metadata.name, ...rest }));
  return [...logs, ...told, ...(await Promise.all(pages))].join("\n");
}
