/** Who may use the API; mounted before its routes by api.ts. */
import type { NextFunction, Request, Response } from "express";
import type { Action, ApiGuard, ApiUser } from "./ports.ts";
import { StatusError } from "./status-answer.ts";
import { TokenCheck } from "./token-check.ts";

/** Whether only this machine reaches a server on `host`, a name or an address without brackets. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host);
}

/** Lets a request through, or refuses it with a StatusError. */
export interface Guard {
  /** Before anything else is looked at: is this somebody whom the API answers at all? */
  admit(request: Request, response: Response, next: NextFunction): Promise<void>;
  /** Whether the admitted user may do this. */
  authorize(request: Request, action: Action, signal: AbortSignal): Promise<void>;
  /** Who asks, for the log. */
  nameOf(request: Request): string;
}

const HOW_TO_AUTHENTICATE = "send `Authorization: Bearer <token>`, such as of `kubectl create token NAME`";

export function createGuard(rule: ApiGuard): Guard {
  const tokens = rule.kind === "tokens" ? new TokenCheck(rule.reviewer) : undefined;
  const users = new WeakMap<Request, ApiUser>();
  return {
    async admit(request, _response, next) {
      if (rule.kind === "refused") throw new StatusError(403, rule.why);
      refuseForeignPages(request);
      if (tokens === undefined) refuseForeignNames(request);
      else {
        const user = await tokens.userOf(tokenOf(request));
        if (user === undefined) {
          throw new StatusError(401, `the API server does not take this token: ${HOW_TO_AUTHENTICATE}`);
        }
        users.set(request, user);
      }
      next();
    },
    async authorize(request, action, signal) {
      const user = users.get(request);
      if (tokens === undefined) return;
      if (user === undefined) throw new StatusError(401, HOW_TO_AUTHENTICATE);
      const { allowed, reason } = await tokens.review(user, action, signal);
      if (allowed) return;
      const { verb, resource, group, namespace } = action;
      const what = `${verb} ${resource}.${group} in the namespace "${namespace}"`;
      const told = reason === "" ? "" : ` (${reason})`;
      throw new StatusError(403, `${user.username} may not ${what}${told}: have a Role with that right bound to it`);
    },
    nameOf: (request) => users.get(request)?.username ?? "loopback",
  };
}

/**
 * A page of another site must not use the visitor's browser to reach the API: browsers say with `Origin` (RFC 6454) and
 * `Sec-Fetch-Site` (W3C Fetch Metadata) where a request comes from; other clients say neither.
 */
function refuseForeignPages({ headers }: Request): void {
  const { origin, host } = headers;
  const site = headers["sec-fetch-site"] ?? "none";
  const isForeign = origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
  if (isForeign || (site !== "none" && site !== "same-origin")) {
    throw new StatusError(
      403,
      "requests from pages of other sites are refused: use kubectl, curl or this server's own pages",
    );
  }
}

/** DNS rebinding: a page whose own name was made to lead here names itself in `Host`. */
function refuseForeignNames({ headers: { host = "" } }: Request): void {
  const address = `http://${host}`;
  const name = URL.canParse(address) ? new URL(address).hostname.replace(/^\[(.*)\]$/, "$1") : "";
  if (isLoopback(name)) return;
  throw new StatusError(
    403,
    "without --api-auth the API answers under localhost, 127.0.0.1 and [::1] alone: use one of these as the host",
  );
}

function tokenOf({ headers: { authorization = "" } }: Request): string {
  const token = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization.trim())?.[1];
  if (token === undefined) throw new StatusError(401, `the API asks for a token: ${HOW_TO_AUTHENTICATE}`);
  return token;
}
