import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { INVISIBLE, visibleLine } from "./visible.ts";

/** A destination as SMTP takes it, or one sentence that says what is wrong with it and what to write instead. */
export type ParsedRecipient = { address: string; needsSmtpUtf8: boolean } | { refusal: string };

/** RFC 5321 §4.5.3.1.1–3, in octets. */
const MAX_LOCAL_BYTES = 64;
const MAX_DOMAIN_BYTES = 255;
const MAX_ADDRESS_BYTES = 254;

/** What RFC 5322 calls `atext`, and RFC 6531's letters beyond ASCII. */
const DOT_ATOM = /^[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+(?:\.[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+)*$/u;
const HOST_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/**
 * The SMTP address of a `receivers[].destination`. One bare address is taken, with an internationalised domain as
 * A-labels; everything else is refused, because a guess could mail a stranger. RFC 5321 §4.1.2, RFC 6531.
 */
export function parseRecipient(destination: string): ParsedRecipient {
  const text = destination.replace(/^ +| +$/g, "");
  const refuse = (problem: string) => ({ refusal: `${quote(text)} ${problem}` });
  if (text === "") return { refusal: "The destination is empty: give one address, such as ops@example.com" };
  const shape = refuseShape(text);
  if (shape !== undefined) return refuse(shape);
  const at = text.lastIndexOf("@");
  const local = text.slice(0, at);
  const domain = toAsciiDomain(text.slice(at + 1));
  if (domain === undefined) return refuse(`is no e-mail address: ${quote(text.slice(at + 1))} is no domain name`);
  const parts = refuseParts(local, domain);
  if (parts !== undefined) return refuse(parts);
  return { address: `${local}@${domain}`, needsSmtpUtf8: /[^\p{ASCII}]/u.test(local) };
}

function refuseShape(text: string): string | undefined {
  if (INVISIBLE.test(text)) return "has a line break or another invisible character in it: give the bare address";
  if (Buffer.byteLength(text) > MAX_ADDRESS_BYTES + MAX_DOMAIN_BYTES)
    return `is ${text.length} characters long, an address has at most ${MAX_ADDRESS_BYTES}`;
  const count = text.split("@").length - 1;
  if (count === 0) return "is no e-mail address: it has no @";
  if (count > 1 || /[,;]/.test(text))
    return "is not one address: give each address as a destination of its own under receivers";
  if (/[<>"() ]/.test(text)) return `is not a bare address: write ${quote(bareAddress(text))}`;
  return undefined;
}

function refuseParts(local: string, domain: string): string | undefined {
  const localBytes = Buffer.byteLength(local);
  if (local === "") return "is no e-mail address: nothing stands before the @";
  if (localBytes > MAX_LOCAL_BYTES)
    return `has ${localBytes} bytes before the @, an address has at most ${MAX_LOCAL_BYTES} there`;
  if (localBytes + 1 + domain.length > MAX_ADDRESS_BYTES)
    return `is ${localBytes + 1 + domain.length} bytes long, an address has at most ${MAX_ADDRESS_BYTES}`;
  if (!DOT_ATOM.test(local)) return `is no e-mail address: ${quote(local)} cannot stand before the @`;
  return undefined;
}

/** A name that {@link domainToASCII} leaves as it is: no A-label to check, and no number that it could read as an IP address. */
const PLAIN_NAME = /^(?!.*xn--)(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*$/;

/** A host name as DNS takes it (A-labels, lower case), or undefined when it is none. IP addresses are no names. */
export function toAsciiDomain(name: string): string | undefined {
  const ascii = PLAIN_NAME.test(name) ? name : domainToASCII(name);
  const labels = ascii.split(".");
  const valid = ascii.length <= MAX_DOMAIN_BYTES && labels.every((label) => HOST_LABEL.test(label));
  return valid && isIP(ascii) === 0 ? ascii : undefined;
}

function bareAddress(text: string): string {
  return text.match(/[^\s<>"()]+@[^\s<>"()]+/)?.[0] ?? "name@example.com";
}

/** `text` in quotes, short and without characters that could break or forge a line. */
function quote(text: string): string {
  const clean = visibleLine(text);
  return `"${clean.length > 60 ? `${clean.slice(0, 59)}…` : clean}"`;
}
