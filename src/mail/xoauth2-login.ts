import type { SMTPPoolOptions } from "nodemailer/lib/smtp-pool";
import { saslXOAuth2 } from "./clean-reply.ts";
import type { XOAuth2Auth } from "./server-auth.ts";
import type { TokenSource } from "./token-source.ts";

/** What nodemailer calls our way to log in. Under the mechanism's own name it would prefer PLAIN where both are offered. */
const METHOD = "COURIER-XOAUTH2";

/** The login was refused. nodemailer adds the reply; `detail` is what the server had said before it. */
class LoginRefused extends Error {
  override readonly name = "LoginRefused";
  readonly detail: string | undefined;

  constructor(detail: string | undefined) {
    super("Invalid login");
    this.detail = detail;
  }
}

interface Reply {
  status: number;
  text: string;
}

/** nodemailer's options for a login with SASL XOAUTH2, and a token of `tokens`. */
export function xoauth2Options({ username }: XOAuth2Auth, tokens: TokenSource): Partial<SMTPPoolOptions> {
  return {
    auth: { type: "custom", user: username, method: METHOD },
    customAuth: {
      [METHOD]: ({ sendCommand }) => login(username, tokens, async (command) => sendCommand(command)),
    },
  } as Partial<SMTPPoolOptions>;
}

/**
 * Logs in; where a token from before is refused, which its server may revoke, once more with a new one. Not
 * nodemailer's own login: that would keep from us what the server says, and hold a token for each connection.
 */
async function login(username: string, tokens: TokenSource, send: (command: string) => Promise<Reply>): Promise<void> {
  for (;;) {
    const { value, isFresh } = await tokens.get();
    const { reply, detail } = await exchange(saslXOAuth2(username, value), send);
    if (reply.status === 235) return;
    if (reply.status !== 535 || isFresh) throw new LoginRefused(detail);
    tokens.discard(value);
  }
}

async function exchange(sasl: string, send: (command: string) => Promise<Reply>) {
  const reply = await send(`AUTH XOAUTH2 ${sasl}`);
  if (reply.status !== 334) return { reply, detail: undefined };
  return { reply: await send(""), detail: readChallenge(reply.text) }; // an empty line asks for the verdict
}

/** `{"status":"401","schemes":"bearer"}` in base64 as `status 401, schemes bearer`; other texts as they are. */
export function readChallenge(text: string): string | undefined {
  const decoded = Buffer.from(text.trim(), "base64").toString();
  const fields = Object.entries(parseFields(decoded)).filter(([, value]) => /^(?:string|number)$/.test(typeof value));
  const told = fields.map(([name, value]) => `${name} ${value}`).join(", ") || decoded;
  return told.trim() === "" ? undefined : told;
}

function parseFields(json: string): object {
  try {
    const parsed: unknown = JSON.parse(json);
    return typeof parsed === "object" && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}
