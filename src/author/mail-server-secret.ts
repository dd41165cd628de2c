import type { EmailServerSecret } from "../mail/email-server.ts";
import { isObject } from "../resources/fields.ts";
import type { KubeObject } from "../resources/object.ts";
import type { Manifest } from "./manifest.ts";

const TYPE_LABEL = "cpaas.io/notification.server.type";

/** Whether a manifest is the Secret of a mail server: by its type, its label or the platform's name for it. */
export function isEmailServer({ object, identity }: Manifest): boolean {
  if (object.kind !== "Secret") return false;
  const labels = isObject(object.metadata) && isObject(object.metadata.labels) ? object.metadata.labels : {};
  return (
    object["type"] === "NotificationServer" ||
    labels[TYPE_LABEL] === "Email" ||
    identity.name === "platform-email-server"
  );
}

/** The Secret as the API server stores it: `stringData` in base64 over `data`. */
export function secretOf({ metadata, data, stringData }: KubeObject): EmailServerSecret {
  const plain = isObject(stringData) ? Object.entries(stringData) : [];
  const encoded = plain.map(([key, value]) => [key, typeof value === "string" ? encode(value) : value]);
  const stored = { ...(isObject(data) ? data : {}), ...Object.fromEntries(encoded) } as Record<string, string>;
  return { metadata: isObject(metadata) ? metadata : {}, data: stored };
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64");
}
