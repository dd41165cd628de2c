/** Reads the values of a mail server's Secret, and says what is wrong with one without ever showing a credential. */

/** The Secret does not describe a usable server; `key` is the data key at fault, the message says what to put there. */
export class EmailServerError extends Error {
  override readonly name = "EmailServerError";
  readonly key: string;

  constructor(key: string, problem: string) {
    super(problem);
    this.key = key;
  }
}

/** `.data` of a Secret: base64 under each key. */
export type SecretData = Record<string, string> | undefined;

/** Keys whose values are never shown. */
const CREDENTIALS = new Set(["username", "password", "clientId", "clientSecret", "tokenUrl", "ca.crt"]);
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** The text under `key` without trailing newlines, or "" when the key is absent. @throws EmailServerError */
export function readText(data: SecretData, key: string): string {
  const encoded: unknown = data !== undefined && Object.hasOwn(data, key) ? data[key] : "";
  if (typeof encoded !== "string" || !BASE64.test(encoded.replace(/\s/g, "")))
    throw problemWith(key, "is not base64: put the value in base64, or use stringData");
  const text = decodeUtf8(Buffer.from(encoded, "base64"))?.replace(/[\r\n]+$/, "");
  if (text === undefined) throw problemWith(key, "is not UTF-8 text: put plain text, in base64");
  return text;
}

/** {@link readText} of a value that is one line. @throws EmailServerError */
export function readLine(data: SecretData, key: string): string {
  const text = readText(data, key);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text))
    throw problemWith(key, "has a line break or control character inside: put one line of text");
  return text;
}

/** The error about the value of `key`, which is shown as `found` where it is given and no credential. */
export function problemWith(key: string, problem: string, found?: string): EmailServerError {
  const shown = found === undefined || CREDENTIALS.has(key) ? "" : ` "${cut(found)}"`;
  return new EmailServerError(key, `${pathOf(key)}${shown} ${problem}`);
}

/** `data.port`, `data["ca.crt"]`. */
export function pathOf(key: string): string {
  return key.includes(".") ? `data["${key}"]` : `data.${key}`;
}

function cut(found: string): string {
  return found.length > 60 ? `${found.slice(0, 59)}…` : found;
}

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
