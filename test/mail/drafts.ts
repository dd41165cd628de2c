import type { Draft } from "../../src/delivery/ports.ts";
import { type EmailServer, parseEmailServer } from "../../src/mail/email-server.ts";

/** The guide's message, rendered. */
export const GUIDE_DRAFT: Draft = {
  message: {
    uid: "7e0f2a52-2f0c-4f0e-9a52-6e1d9a4b3c21",
    namespace: "cpaas-system",
    name: "cm-change-app-team-a-app-notification-source-19377570",
  },
  taskId: "configmap-change-email-19377570/Email",
  source: "ConfigMap/app-team-a/app-notification-source",
  to: ["platform-operator@example.com"],
  subject: "ConfigMap app-team-a/app-notification-source changed",
  body: [
    "The watched ConfigMap was updated.",
    "",
    "Namespace: app-team-a",
    "Name: app-notification-source",
    "Resource version: 19377570",
    "Application: payment",
    "Owner: platform-ops",
    "Severity: critical",
  ].join("\n"),
  bodyType: "Html",
  language: "EN",
};

/** The guide's message with `changes`. */
export function draftWith(changes: Partial<Draft>): Draft {
  return { ...GUIDE_DRAFT, ...changes };
}

/** A Secret as the API server gives it: every value in base64, with the newline that `echo` leaves. */
export function secretOf(values: Record<string, string>, version = "1") {
  const data = Object.entries(values).map(([key, value]) => [key, Buffer.from(`${value}\n`).toString("base64")]);
  return { metadata: { uid: "5ec2e7", resourceVersion: version }, data: Object.fromEntries(data) };
}

/** The server at `address`, as its Secret would give it. */
export function serverAt(
  address: { host: string; port: number },
  values: Record<string, string> = {},
  version = "1",
): EmailServer {
  const base = { host: address.host, port: String(address.port), from: "user@example.com" };
  return parseEmailServer(secretOf({ ...base, ...values }, version));
}
