import { isLoopback } from "./loopback.ts";
import { type EmailServerError, pathOf, problemWith } from "./secret-values.ts";

export interface PasswordAuth {
  readonly type: "password";
  readonly username: string;
  readonly password: string;
}

/** OAuth 2.0 with client credentials (RFC 6749 §4.4), the token handed over with SASL XOAUTH2. */
export interface XOAuth2Auth {
  readonly type: "xoauth2";
  /** The mailbox that mail is sent as. */
  readonly username: string;
  /** https, or http to this machine. */
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string;
}

/** How courier logs in. */
export type ServerAuth = PasswordAuth | XOAuth2Auth;

/** Reads a key's value as one line, "" when it is absent. */
type Read = (key: string) => string;

/** The keys of XOAUTH2 besides `username`. */
export const OAUTH_KEYS = ["tokenUrl", "clientId", "clientSecret", "scope"] as const;

/** The login that a Secret describes; undefined when it names none. @throws EmailServerError */
export function parseAuth(read: Read): ServerAuth | undefined {
  const authType = read("authType").trim();
  if (/^(?:xoauth2|oauth2)$/i.test(authType)) return parseXOAuth2(read);
  const remedy = "put xoauth2, or leave it out for username and password";
  if (authType !== "") throw problemWith("authType", `is no way to log in: ${remedy}`, authType);
  const stray = OAUTH_KEYS.find((key) => read(key) !== "");
  if (stray !== undefined) throw problemWith("authType", `is missing while ${pathOf(stray)} is set: put xoauth2`);
  return parsePassword(read("username"), read("password"));
}

function parsePassword(username: string, password: string): PasswordAuth | undefined {
  if (username === "" && password === "") return undefined;
  if (username === "") throw missingHalf("username", "password");
  if (password === "") throw missingHalf("password", "username");
  return { type: "password", username, password };
}

function missingHalf(key: string, other: string): EmailServerError {
  return problemWith(key, `is missing while ${pathOf(other)} is set: put both, or neither`);
}

function parseXOAuth2(read: Read): XOAuth2Auth {
  const scope = read("scope").trim();
  return {
    type: "xoauth2",
    username: required(read, "username", "the mailbox that mail is sent as"),
    tokenUrl: parseTokenUrl(required(read, "tokenUrl", "the https address where tokens are given")),
    clientId: required(read, "clientId", "the identity that courier is registered with"),
    clientSecret: required(read, "clientSecret", "the secret that belongs to data.clientId"),
    ...(scope === "" ? {} : { scope }),
  };
}

function required(read: Read, key: string, what: string): string {
  const value = read(key).trim();
  if (value === "") throw problemWith(key, `is missing while data.authType is xoauth2: put ${what}`);
  return value;
}

function parseTokenUrl(text: string): string {
  const remedy = "such as https://login.example.com/oauth2/token";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw problemWith("tokenUrl", `is no https address: put one, ${remedy}`);
  if (url.protocol === "http:" && !isLoopback(url.hostname))
    throw problemWith("tokenUrl", "begins with http, and secrets go over https only: put an https address");
  if (url.username !== "" || url.password !== "" || url.hash !== "")
    throw problemWith("tokenUrl", `holds a login or a fragment: put the address alone, ${remedy}`);
  return url.href;
}
