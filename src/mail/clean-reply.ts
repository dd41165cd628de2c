import type { ServerAuth } from "./server-auth.ts";

/** Characters of a server's reply that are passed on. */
const MAX_REPLY_LENGTH = 300;
/** A secret shorter than this would hide words instead of itself. */
const MIN_SECRET_LENGTH = 4;

/** What a server says, made fit for a status: one line, at most 300 characters, without our `secrets`. */
export function cleanReply(reply: string, secrets: readonly string[]): string {
  const spaced = hide(reply, secrets)
    .toWellFormed()
    .replace(/[\p{Zl}\p{Zp}\s]+/gu, " ");
  const line = hide(spaced.replace(/[\p{Cc}\p{Cf}]+/gu, "").trim(), secrets);
  return line.length > MAX_REPLY_LENGTH ? `${line.slice(0, MAX_REPLY_LENGTH - 1).toWellFormed()}…` : line;
}

function hide(text: string, secrets: readonly string[]): string {
  return secrets.reduce(
    (shown, secret) => (secret.length < MIN_SECRET_LENGTH ? shown : shown.replaceAll(secret, "[hidden]")),
    text,
  );
}

/** A login's secrets as a server could echo them: in clear, or as AUTH LOGIN, PLAIN and XOAUTH2 send them. */
export function secretsOf(auth: ServerAuth | undefined, tokens: readonly string[]): string[] {
  if (auth === undefined) return [];
  const { username } = auth;
  if (auth.type === "xoauth2")
    return [...tokens.flatMap((token) => [saslXOAuth2(username, token), token]), auth.clientSecret];
  const { password } = auth;
  return [base64(`\0${username}\0${password}`), base64(password), password];
}

/** The line of SASL XOAUTH2. */
export function saslXOAuth2(username: string, token: string): string {
  return base64(`user=${username}\x01auth=Bearer ${token}\x01\x01`);
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
