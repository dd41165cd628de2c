/** Asks an OAuth 2.0 server for an access token with client credentials (RFC 6749 §4.4). Called by token-source.ts. */
import { trusting } from "./ca-bundle.ts";
import { isTlsCode } from "./classify.ts";
import { cleanReply } from "./clean-reply.ts";
import type { XOAuth2Auth } from "./server-auth.ts";

export interface Token {
  value: string;
  expiresInMs: number;
}

/**
 * What kept a token from us, in the code that nodemailer carries on as `originalCode`: the server will not give one, has
 * no trusted certificate, or cannot be asked now.
 */
export type TokenErrorCode = "ETOKENREFUSED" | "ETOKENTLS" | "ETOKENAWAY";

/** There is no token. The message is whole and holds no secret. */
export class TokenError extends Error {
  override readonly name = "TokenError";
  readonly code: TokenErrorCode;

  constructor(code: TokenErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/** AUTH is one line of at most 12,288 octets (RFC 4954 §4), and takes the token in base64. */
const MAX_TOKEN_CHARS = 8192;
/** Where the server does not say how long a token lives, which it should (RFC 6749 §5.1). */
const DEFAULT_LIFE_S = 300;
const MAX_LIFE_S = 24 * 3600;

/** @throws TokenError, or the signal's reason */
export async function requestToken(auth: XOAuth2Auth, ca: readonly string[] | undefined, signal: AbortSignal) {
  const { Agent, request } = await import("undici"); // for who logs in by tokens: 12 MiB
  const connect = { timeout: TIMEOUT_MS, minVersion: "TLSv1.2" as const, ...trusting(ca) };
  const dispatcher = new Agent({ connect, maxResponseSize: MAX_ANSWER_BYTES });
  try {
    const { statusCode, body } = await request(auth.tokenUrl, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: formOf(auth).toString(),
      dispatcher,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    return readAnswer(statusCode, await body.text(), auth);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof TokenError ? error : noAnswer(error as Error, auth);
  } finally {
    void dispatcher.destroy();
  }
}

function formOf({ clientId, clientSecret, scope }: XOAuth2Auth): URLSearchParams {
  const credentials = { client_id: clientId, client_secret: clientSecret };
  return new URLSearchParams({ grant_type: "client_credentials", ...credentials, ...(scope && { scope }) });
}

/** Status and body → token; pure. @throws TokenError */
export function readAnswer(status: number, body: string, auth: XOAuth2Auth): Token {
  const answer = parseObject(body);
  const token = answer["access_token"];
  if (status === 200 && isToken(token)) return { value: token, expiresInMs: lifeOf(answer["expires_in"]) * 1000 };
  const isAway = status >= 500 || status === 429 || status === 408;
  const said = [`HTTP ${status}`, ...["error", "error_description"].flatMap((key) => textIn(answer, key))].join(": ");
  const what = status === 200 ? "its answer holds no access_token that SMTP can carry" : said;
  if (isAway) throw new TokenError("ETOKENAWAY", tell(auth, what));
  throw new TokenError("ETOKENREFUSED", tell(auth, what, remedyFor(status)));
}

function remedyFor(status: number): string {
  const isPlace = status < 400 || status === 404 || status === 405;
  return isPlace
    ? "check data.tokenUrl of its Secret"
    : "check data.clientId, data.clientSecret and data.scope of its Secret";
}

function noAnswer(error: Error & { code?: string }, auth: XOAuth2Auth): TokenError {
  const cause = error as Error & { code?: string };
  const what = `${cause.message}${cause.code === undefined ? "" : ` (${cause.code})`}`;
  if (!isTlsCode(cause.code)) return new TokenError("ETOKENAWAY", tell(auth, what), { cause });
  const remedy = 'it needs a certificate that is trusted, by data["ca.crt"] of the Secret too, and names its host';
  return new TokenError("ETOKENTLS", tell(auth, what, remedy), { cause });
}

/** Without the query, which is nobody's business, and without the secret should the server repeat it. */
function tell({ tokenUrl, clientSecret }: XOAuth2Auth, what: string, remedy?: string): string {
  const { origin, pathname } = new URL(tokenUrl);
  const said = cleanReply(what, [clientSecret, encodeURIComponent(clientSecret)]);
  return `Cannot get a token from ${origin}${pathname}: ${said}${remedy === undefined ? "" : `: ${remedy}`}`;
}

function parseObject(body: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function textIn(answer: Record<string, unknown>, key: string): string[] {
  const text = answer[key];
  return typeof text === "string" && text !== "" ? [text] : [];
}

/** RFC 6750 §2.1, and short enough for a line of SMTP. */
function isToken(token: unknown): token is string {
  return typeof token === "string" && token.length <= MAX_TOKEN_CHARS && /^[\x21-\x7e]+$/.test(token);
}

function lifeOf(expiresIn: unknown): number {
  const seconds = Number(expiresIn ?? DEFAULT_LIFE_S);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, MAX_LIFE_S) : DEFAULT_LIFE_S;
}
