import "reflect-metadata";
import { randomUUID, webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  cryptoProvider,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** A private key and its self-signed certificate, both in PEM. */
export interface Certificate {
  key: string;
  cert: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 24 * 3_600_000;

/**
 * A certificate for `names` (DNS names and IP addresses), valid today unless it is `expired`; a client trusts it by adding
 * it to its CAs.
 */
export async function makeCertificate(
  names: { dns?: string[]; ip?: string[] },
  { expired = false } = {},
): Promise<Certificate> {
  cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: `CN=courier test ${randomUUID()}`, // OpenSSL finds a trusted certificate by its name
    notBefore: new Date(Date.now() - 2 * DAY_MS),
    notAfter: new Date(Date.now() + (expired ? -DAY_MS : DAY_MS)),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true),
      new SubjectAlternativeNameExtension([
        ...(names.dns ?? []).map((value) => ({ type: "dns" as const, value })),
        ...(names.ip ?? []).map((value) => ({ type: "ip" as const, value })),
      ]),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { key: PemConverter.encode(pkcs8, "PRIVATE KEY"), cert: certificate.toString("pem") };
}
