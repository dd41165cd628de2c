import { webcrypto } from "node:crypto";
import "reflect-metadata"; // x509 asks for it to be there first
import * as x509 from "@peculiar/x509";

/** A certificate and its key, both PEM. The certificate is its own authority. */
export interface TlsPair {
  certificatePem: string;
  keyPem: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const VALID_DAYS = 365;

/** Makes a self-signed certificate for these DNS names and IP addresses: kubectl sends its token over TLS only. */
export async function selfSigned(names: readonly string[]): Promise<TlsPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: "CN=courier-sandbox",
      notBefore: new Date(now - 60_000),
      notAfter: new Date(now + VALID_DAYS * 86_400_000),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(names.map(toGeneralName)),
      ],
    },
    webcrypto as Parameters<typeof x509.X509CertificateGenerator.createSelfSigned>[1],
  );
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return { certificatePem: `${certificate.toString("pem")}\n`, keyPem: pem("PRIVATE KEY", key) };
}

function toGeneralName(name: string): { type: "ip" | "dns"; value: string } {
  const isAddress = /^[\d.]+$/.test(name) || name.includes(":");
  return { type: isAddress ? "ip" : "dns", value: name };
}

function pem(label: string, base64: string): string {
  return `-----BEGIN ${label}-----\n${base64.replace(/.{64}/g, "$&\n").trimEnd()}\n-----END ${label}-----\n`;
}
