import type { MailServerState } from "../delivery/ports.ts";
import type { EmailServer } from "../mail/email-server.ts";
import { SECRET } from "../resources/kinds.ts";
import { formatKey, type KubeObject } from "../resources/object.ts";
import type { DeliveryParts } from "./deliver.ts";

const NOTE =
  "insecureSkipVerify is true: anybody between courier and the mail server can read the mails and the login. " +
  "Put the certificate of the server's CA into ca.crt and remove insecureSkipVerify";

/** Tells of a mail server whose certificate is not verified: a gauge, and a log line and an Event for each version of its Secret. */
export function createUnverifiedTlsWarning({ metrics, logger, events }: DeliveryParts, signal: AbortSignal) {
  let told = "";
  return (state: MailServerState, secret: KubeObject | undefined): void => {
    const isUnverified = "server" in state && (state.server as EmailServer).insecureSkipVerify;
    metrics.tlsUnverified(isUnverified);
    if (!isUnverified || secret === undefined || state.server.version === told) return;
    told = state.server.version;
    const { namespace = "", name = "" } = secret.metadata;
    logger.warn({ secret: formatKey({ namespace, name }) }, "Mail server's certificate is not verified");
    const about = { apiVersion: SECRET.version, kind: SECRET.kind, metadata: secret.metadata }; // without its data
    void events.record(about, { type: "Warning", reason: "TLSUnverified", note: NOTE }, signal); // never rejects
  };
}
