import { X509Certificate } from "node:crypto";
import type { Json } from "../../../resources/object.ts";
import { messageOf } from "../../errors.ts";
import { ExpressionError } from "../errors.ts";
import { define } from "./signature.ts";

/** Go's numbers for x509.Certificate's PublicKeyAlgorithm. */
const RSA = 1;
/** Short names of a distinguished name's parts → the fields of Go's pkix.Name that hold lists. */
const NAME_LISTS: Record<string, string> = {
  C: "Country",
  L: "Locality",
  O: "Organization",
  OU: "OrganizationalUnit",
  ST: "Province",
  street: "StreetAddress",
  postalCode: "PostalCode",
};
const NAME_TEXTS: Record<string, string> = { CN: "CommonName", serialNumber: "SerialNumber" };
const SUBJECT_ALTERNATIVES: Record<string, string> = {
  DNS: "DNSNames",
  email: "EmailAddresses",
  "IP Address": "IPAddresses",
  URI: "URIs",
};

/** Kyverno's function on certificates: the fields of Go's x509.Certificate that policies ask for, under Go's names. */
export const CERTIFICATES = {
  x509_decode: define<[string]>(["string"], ([pem]) => {
    if (/-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----/.test(pem))
      throw new ExpressionError("x509_decode() reads certificates and was given a certificate request");
    const certificate = readCertificate(pem);
    const { n, e, kty } = certificate.publicKey.export({ format: "jwk" });
    if (kty !== "RSA" || n === undefined || e === undefined)
      throw new ExpressionError(`x509_decode() reads certificates with RSA keys and this has a key of type ${kty}`);
    return {
      Subject: readName(certificate.subject),
      Issuer: readName(certificate.issuer),
      SerialNumber: Number(BigInt(`0x${certificate.serialNumber}`)),
      NotBefore: readTime(certificate.validFrom),
      NotAfter: readTime(certificate.validTo),
      IsCA: certificate.ca,
      PublicKeyAlgorithm: RSA,
      PublicKey: { N: readInteger(n).toString(), E: Number(readInteger(e)) },
      Raw: certificate.raw.toString("base64"),
      ...readAlternatives(certificate.subjectAltName ?? ""),
    };
  }),
};

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new ExpressionError(`x509_decode() cannot read its certificate: ${messageOf(error)}`);
  }
}

/** Lines of `CN=…`. */
function readName(text: string): Json {
  const lists: Record<string, string[] | null> = Object.fromEntries(
    Object.values(NAME_LISTS).map((field) => [field, null]),
  );
  const texts: Record<string, string> = { CommonName: "", SerialNumber: "" };
  for (const line of text.split("\n")) {
    const [, key = "", value = ""] = /^([^=]+)=(.*)$/s.exec(line) ?? [];
    const [list, single] = [ownOf(NAME_LISTS, key), ownOf(NAME_TEXTS, key)];
    if (list !== undefined) lists[list] = [...(lists[list] ?? []), value];
    if (single !== undefined) texts[single] = value;
  }
  return { ...lists, ...texts };
}

/** `DNS:a, IP Address:192.0.2.1`; a value with a comma stands in quotes, as JSON. */
function readAlternatives(text: string): Record<string, Json> {
  const found: Record<string, string[] | null> = Object.fromEntries(
    Object.values(SUBJECT_ALTERNATIVES).map((field) => [field, null]),
  );
  for (const [, kind = "", value = ""] of text.matchAll(/(?<=^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?=, |$)/g)) {
    const field = ownOf(SUBJECT_ALTERNATIVES, kind);
    if (field !== undefined)
      found[field] = [...(found[field] ?? []), value.startsWith('"') ? JSON.parse(value) : value];
  }
  return found;
}

function ownOf(table: Record<string, string>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** `Nov 22 10:00:00 2026 GMT` as RFC 3339. */
function readTime(text: string): string {
  return new Date(text).toISOString().replace(".000Z", "Z");
}

function readInteger(base64url: string): bigint {
  return BigInt(`0x${Buffer.from(base64url, "base64url").toString("hex")}`);
}
