import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Reason } from "../../src/delivery/reasons.ts";
import { classifyFailure, type SmtpFailure } from "../../src/mail/classify.ts";

suite("a reply gives the reason", () => {
  const cases: [command: string, responseCode: number, reason: Reason][] = [
    ["MAIL FROM", 550, "MailRejected"],
    ["MAIL FROM", 451, "TemporaryFailure"],
    ["MAIL FROM", 530, "AuthenticationFailed"],
    ["MAIL FROM", 503, "TemporaryFailure"],
    ["RCPT TO", 550, "RecipientRejected"],
    ["RCPT TO", 553, "RecipientRejected"],
    ["RCPT TO", 450, "TemporaryFailure"],
    ["RCPT TO", 452, "TemporaryFailure"],
    ["DATA", 554, "MailRejected"],
    ["DATA", 552, "MailRejected"],
    ["DATA", 421, "TemporaryFailure"],
    ["AUTH PLAIN", 535, "AuthenticationFailed"],
    ["AUTH PLAIN", 534, "AuthenticationFailed"],
    ["AUTH PLAIN", 454, "ServerUnavailable"],
    ["STARTTLS", 502, "TLSFailed"],
    ["STARTTLS", 454, "TLSFailed"],
  ];
  for (const [command, responseCode, reason] of cases)
    test(`${responseCode} to ${command} is ${reason}`, () => {
      const stage = /^(?:AUTH|STARTTLS)/.test(command) ? "connecting" : "transaction";
      assert.equal(classifyFailure({ stage, command, responseCode }), reason);
    });
});

suite("a failure without a reply gives the reason by how far the mail had come", () => {
  const cases: [failure: SmtpFailure, reason: Reason][] = [
    [{ stage: "queued", code: "EABORT" }, "TemporaryFailure"],
    [{ stage: "connecting", code: "ESOCKET", serverWorks: true }, "TemporaryFailure"],
    [{ stage: "connecting", responseCode: 421, serverWorks: true }, "TemporaryFailure"],
    [{ stage: "connecting", code: "EDNS", originalCode: "ENOTFOUND" }, "ServerUnavailable"],
    [{ stage: "connecting", code: "ESOCKET", originalCode: "ECONNREFUSED" }, "ServerUnavailable"],
    [{ stage: "connecting", code: "ETIMEDOUT" }, "ServerUnavailable"],
    [{ stage: "connecting", code: "ECONNECTION" }, "ServerUnavailable"],
    [{ stage: "connecting", code: "ESOCKET", originalCode: "CERT_HAS_EXPIRED" }, "TLSFailed"],
    [{ stage: "connecting", code: "ESOCKET", originalCode: "ERR_TLS_CERT_ALTNAME_INVALID" }, "TLSFailed"],
    [{ stage: "connecting", code: "ESOCKET", originalCode: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" }, "TLSFailed"],
    [{ stage: "connecting", code: "ESOCKET", originalCode: "ERR_SSL_WRONG_VERSION_NUMBER" }, "TLSFailed"],
    [{ stage: "connecting", code: "ETLS" }, "TLSFailed"],
    [{ stage: "connecting", code: "EAUTH" }, "AuthenticationFailed"],
    [{ stage: "transaction", code: "ECONNECTION" }, "TemporaryFailure"],
    [{ stage: "transaction", code: "ESOCKET", originalCode: "ECONNRESET" }, "TemporaryFailure"],
    [{ stage: "transaction", code: "ETIMEDOUT" }, "TemporaryFailure"],
    [{ stage: "transaction", code: "EMESSAGE" }, "MailRejected"],
    [{ stage: "handed-over", code: "ECONNECTION" }, "OutcomeUnknown"],
    [{ stage: "handed-over", code: "ETIMEDOUT" }, "OutcomeUnknown"],
    [{ stage: "connecting" }, "ServerUnavailable"],
  ];
  for (const [failure, reason] of cases)
    test(`${failure.originalCode ?? failure.code ?? "nothing known"} while ${failure.stage} is ${reason}`, () => {
      assert.equal(classifyFailure(failure), reason);
    });
});
