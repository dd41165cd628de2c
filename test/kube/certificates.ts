import "reflect-metadata"; // @peculiar/x509 needs it first
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

export interface Certificate {
  /** PEM */
  cert: string;
  /** PEM, PKCS #8 */
  key: string;
}

/** A certificate authority with what it has signed for 127.0.0.1 and for a client. */
export interface Authority {
  ca: string;
  server: Certificate;
  client: Certificate;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const VALID = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 3_600_000) };

export async function createAuthority(): Promise<Authority> {
  const keys = await generateKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...{ ...VALID, name: "CN=test CA", keys, signingAlgorithm: ALGORITHM, serialNumber: "01" },
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  });
  const sign = async (subject: string, serialNumber: string, extensions: x509.Extension[]): Promise<Certificate> => {
    const own = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...{ ...VALID, subject, serialNumber, extensions, issuer: root.subject, signingAlgorithm: ALGORITHM },
      ...{ publicKey: own.publicKey, signingKey: keys.privateKey },
    });
    const key = await webcrypto.subtle.exportKey("pkcs8", own.privateKey);
    return { cert: certificate.toString("pem"), key: x509.PemConverter.encode(key, "PRIVATE KEY") };
  };
  const address = new x509.SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }]);
  return {
    ca: root.toString("pem"),
    server: await sign("CN=server", "02", [address]),
    client: await sign("CN=ann", "03", []),
  };
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
}
