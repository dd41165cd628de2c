import { X509Certificate } from "node:crypto";
import { getCACertificates } from "node:tls";
import { problemWith } from "./secret-values.ts";

const KEY = "ca.crt";
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g;
const REMEDY = "put the certificate of the CA, or several of them, in PEM";

/** The certificates in the value of `ca.crt`, each in PEM; undefined when the key is absent. @throws EmailServerError */
export function parseCaBundle(text: string): string[] | undefined {
  if (text.trim() === "") return undefined;
  const blocks = [...text.matchAll(BLOCK)];
  if (blocks.length === 0) throw problemWith(KEY, `is no certificate: ${REMEDY}`);
  return blocks.map(([pem, label = ""], index) => {
    if (label !== "CERTIFICATE") throw problemWith(KEY, `holds a ${label}: ${REMEDY}, and nothing else`);
    if (!isCertificate(pem)) throw problemWith(KEY, `has a broken certificate, number ${index + 1}: ${REMEDY}`);
    return pem;
  });
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

/** What to trust besides a Secret's own CAs: everything that Node trusts, `NODE_EXTRA_CA_CERTS` included. */
export function trusting(ca: readonly string[] | undefined): { ca?: string[] } {
  return ca === undefined ? {} : { ca: [...getCACertificates("default"), ...ca] };
}
