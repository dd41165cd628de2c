/** One entry of a Status' `details.causes`, as the API server writes it. */
export interface KubeErrorCause {
  reason?: string;
  field?: string;
  message?: string;
}

/** The part of a Status' `details` that callers read. */
export interface KubeErrorDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  retryAfterSeconds?: number;
  causes?: KubeErrorCause[];
}

interface KubeErrorInit {
  code: number;
  reason: string;
  message: string;
  details?: KubeErrorDetails;
  retryAfterMs?: number;
  cause?: unknown;
}

/**
 * What the API server refused, or why there was no answer from it. `code` is the HTTP status, 0 without an answer;
 * `reason` is the Status' own (`Conflict`, `NotFound`, …) or, with code 0, one of {@link NoAnswerReason}.
 */
export class KubeError extends Error {
  override readonly name = "KubeError";
  readonly code: number;
  readonly reason: string;
  readonly details?: KubeErrorDetails;
  readonly retryAfterMs?: number;

  constructor({ code, reason, message, details, retryAfterMs, cause }: KubeErrorInit) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.reason = reason;
    if (details !== undefined) this.details = details;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }
}

/** Why there was no answer; `ConfigInvalid` and `CredentialsUnavailable` mean that courier did not even ask. */
export type NoAnswerReason =
  | "ConnectionRefused"
  | "ConnectionLost"
  | "HostNotFound"
  | "TLSFailed"
  | "Timeout"
  | "Silence"
  | "AnswerInvalid"
  | "CredentialsUnavailable"
  | "ConfigInvalid";

/** Reasons for codes whose body names none: metav1.StatusReason, and a proxy's own. */
const REASONS: Record<number, string> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  409: "Conflict",
  410: "Gone",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  502: "BadGateway",
  503: "ServiceUnavailable",
  504: "Timeout",
};

/** What a person should look at, for the refusals that the Status' own words leave open. */
const HINTS: Record<number, string> = {
  401: "check that the token or certificate in the kubeconfig is still valid",
};

const QUOTED_BODY_CHARS = 200;

/** The error that an HTTP answer of 400 and above stands for; a body that is no Status (a proxy's page) is quoted in short. */
export function errorFromAnswer(action: string, code: number, body: string, retryAfter: string | undefined): KubeError {
  const status = parseStatus(body);
  const reason = status?.reason || REASONS[code] || `HTTP${code}`;
  const said = status?.message || oneLine(body).slice(0, QUOTED_BODY_CHARS) || "no explanation";
  const hint = HINTS[code] === undefined ? "" : `; ${HINTS[code]}`;
  const retryAfterMs = parseRetryAfter(retryAfter) ?? secondsToMs(status?.details?.retryAfterSeconds);
  return new KubeError({
    code,
    reason,
    message: `Cannot ${action}: ${said} (${code} ${reason})${hint}`,
    ...(status?.details === undefined ? {} : { details: status.details }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The error that an ERROR event of a watch carries: its object is a Status. */
export function errorFromStatusObject(action: string, status: unknown): KubeError {
  const { code } = Object(status) as { code?: unknown };
  return errorFromAnswer(action, Number(code) || 500, JSON.stringify(status) ?? "", undefined);
}

const CONNECTION_FAILURES: Record<string, { reason: NoAnswerReason; told: string }> = {
  ECONNREFUSED: {
    reason: "ConnectionRefused",
    told: "the connection is refused; check that the API server runs and that the kubeconfig has its address",
  },
  ENOTFOUND: { reason: "HostNotFound", told: "the host name is unknown; check the server address in the kubeconfig" },
  EAI_AGAIN: { reason: "HostNotFound", told: "the host name cannot be resolved now; check DNS" },
  EHOSTUNREACH: { reason: "ConnectionRefused", told: "the host cannot be reached; check the network" },
  ENETUNREACH: { reason: "ConnectionRefused", told: "the network cannot be reached; check the network" },
  ETIMEDOUT: { reason: "Timeout", told: "the connection timed out; check the network and firewalls on the way" },
  UND_ERR_CONNECT_TIMEOUT: {
    reason: "Timeout",
    told: "no connection in time; check the network and firewalls on the way",
  },
  UND_ERR_HEADERS_TIMEOUT: { reason: "Timeout", told: "no answer in time" },
  UND_ERR_BODY_TIMEOUT: { reason: "Silence", told: "the answer stopped coming" },
  ECONNRESET: { reason: "ConnectionLost", told: "the connection was lost" },
  EPIPE: { reason: "ConnectionLost", told: "the connection was lost" },
  UND_ERR_SOCKET: { reason: "ConnectionLost", told: "the connection was lost" },
};

/** Node names certificate trouble by OpenSSL's verify codes, which share no prefix. */
const CERTIFICATE_TROUBLE =
  /^(CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

/** The error for a request to `server` that got no (whole) answer. */
export function errorFromFailure(action: string, server: string, cause: unknown): KubeError {
  if (cause instanceof KubeError) return cause;
  const { code = "", message = String(cause) } = Object(cause) as { code?: string; message?: string };
  const known = CONNECTION_FAILURES[code];
  if (known !== undefined) return noAnswer(known.reason, `Cannot ${action} at ${server}: ${known.told}`, cause);
  if (CERTIFICATE_TROUBLE.test(code)) {
    const advice = "check the certificate authority and client certificate in the kubeconfig";
    return noAnswer("TLSFailed", `Cannot ${action} at ${server}: TLS failed, ${oneLine(message)}; ${advice}`, cause);
  }
  return noAnswer("ConnectionLost", `Cannot ${action} at ${server}: ${oneLine(message)}`, cause);
}

export function noAnswer(reason: NoAnswerReason, message: string, cause?: unknown): KubeError {
  return new KubeError({ code: 0, reason, message, cause });
}

/** The same trouble told of another request: of one that was not sent because of it. */
export function retold(
  { code, reason, message, details, retryAfterMs }: KubeError,
  from: string,
  to: string,
): KubeError {
  const why = message.slice(`Cannot ${from}`.length);
  return new KubeError({
    code,
    reason,
    message: `Cannot ${to}${why}`,
    ...(details === undefined ? {} : { details }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/**
 * True when the server knows the kind and has no object of this name. Other 404s say nothing about the object: a
 * kube-apiserver that starts answers so for custom resources until it has read the CRDs, and so does a wrong address.
 */
export function isAbsent(error: unknown, name: string): boolean {
  return error instanceof KubeError && error.code === 404 && error.details?.name === name;
}

/** True for an error that says "your resourceVersion or continue token is too old: list again". */
export function isExpired(error: unknown): boolean {
  if (!(error instanceof KubeError)) return false;
  // After a restore the server may be behind what we saw: it will never reach that version in our time.
  const isAhead = error.details?.causes?.some(({ reason }) => reason === "ResourceVersionTooLarge") ?? false;
  return error.code === 410 || isAhead;
}

interface StatusBody {
  reason?: string;
  message?: string;
  details?: KubeErrorDetails;
}

function parseStatus(body: string): StatusBody | undefined {
  try {
    const parsed = JSON.parse(body) as (StatusBody & { kind?: string }) | null;
    return parsed?.kind === "Status" ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 9110 §10.2.3: seconds or a date; anything else is as if absent. */
function parseRetryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

function secondsToMs(seconds: number | undefined): number | undefined {
  return typeof seconds === "number" && seconds > 0 ? seconds * 1000 : undefined;
}

/** A message from outside must not forge a second log line. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
  return text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, " ").trim();
}
