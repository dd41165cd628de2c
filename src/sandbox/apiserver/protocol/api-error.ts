/** One entry of `Status.details.causes`, as kubectl and client-go print it. */
export interface StatusCause {
  reason?: string;
  message: string;
  field?: string;
}

/** Names the object, or only its kind, that a Status is about. For most errors `kind` is the plural, for Invalid the kind. */
export interface StatusSubject {
  group: string;
  kind: string;
  name?: string;
  uid?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** The body of a refusal, in the field order of apimachinery's `metav1.Status`. */
export interface Status {
  kind: "Status";
  apiVersion: "v1";
  metadata: Record<string, unknown>;
  status: "Failure" | "Success";
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code?: number;
}

interface ApiErrorOptions {
  code: number;
  reason: string;
  message: string;
  details?: StatusDetails;
  /** Of the Status itself: an expired continue token comes with a new one. */
  metadata?: Record<string, unknown>;
}

/** A refusal that reaches the client as a `Status` object. Wording follows apimachinery's `errors` package. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  readonly metadata: Record<string, unknown>;

  constructor({ code, reason, message, details, metadata = {} }: ApiErrorOptions) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.reason = reason;
    this.details = details;
    this.metadata = metadata;
  }

  toStatus(): Status {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: this.metadata,
      status: "Failure",
      message: this.message,
      ...(this.reason === "" ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

/** `configmaps`, or `leases.coordination.k8s.io` outside the core group: how messages name a resource. */
export function qualified({ group, kind }: Pick<StatusSubject, "group" | "kind">): string {
  return group === "" ? kind : `${kind}.${group}`;
}

function detailsOf({ name, group, kind, uid }: StatusSubject): StatusDetails {
  return {
    ...(name === undefined || name === "" ? {} : { name }),
    ...(group === "" ? {} : { group }),
    kind,
    ...(uid === undefined ? {} : { uid }),
  };
}

export function notFound(subject: StatusSubject): ApiError {
  const message = `${qualified(subject)} "${subject.name ?? ""}" not found`;
  return new ApiError({ code: 404, reason: "NotFound", message, details: detailsOf(subject) });
}

/** The path names no resource that is served. */
export function resourceNotFound(): ApiError {
  const message = "the server could not find the requested resource";
  return new ApiError({ code: 404, reason: "NotFound", message, details: {} });
}

export function alreadyExists(subject: StatusSubject): ApiError {
  const message = `${qualified(subject)} "${subject.name ?? ""}" already exists`;
  return new ApiError({ code: 409, reason: "AlreadyExists", message, details: detailsOf(subject) });
}

export function conflict(subject: StatusSubject, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(subject)} "${subject.name ?? ""}": ${why}`;
  return new ApiError({ code: 409, reason: "Conflict", message, details: detailsOf(subject) });
}

export const OBJECT_MODIFIED =
  "the object has been modified; please apply your changes to the latest version and try again";

export function badRequest(message: string): ApiError {
  return new ApiError({ code: 400, reason: "BadRequest", message });
}

/** The object names another than its path does, or none. */
export function nameMismatch(found: unknown, name: string): ApiError {
  if (typeof found === "string" && found !== "") {
    return badRequest(`the name of the object (${found}) does not match the name on the URL (${name})`);
  }
  return badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
}

export function forbidden(subject: StatusSubject, why: string, causes?: StatusCause[]): ApiError {
  const message = `${qualified(subject)} "${subject.name ?? ""}" is forbidden: ${why}`;
  const details = { ...detailsOf(subject), ...(causes === undefined ? {} : { causes }) };
  return new ApiError({ code: 403, reason: "Forbidden", message, details });
}

/** 422 with one cause for each error; `kind` of the subject is the CamelCase kind. */
export function invalid(subject: StatusSubject, errors: readonly StatusCause[]): ApiError {
  const texts = errors.map(({ field, message }) => (field === undefined ? message : `${field}: ${message}`));
  const list = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  const message = `${qualified(subject)} "${subject.name ?? ""}" is invalid: ${list}`;
  const details = { ...detailsOf(subject), causes: [...errors] };
  return new ApiError({ code: 422, reason: "Invalid", message, details });
}

export function unauthorized(): ApiError {
  return new ApiError({ code: 401, reason: "Unauthorized", message: "Unauthorized" });
}

export function methodNotAllowed(): ApiError {
  const message = "the server does not allow this method on the requested resource";
  return new ApiError({ code: 405, reason: "MethodNotAllowed", message, details: {} });
}

export function notAcceptable(accepted: readonly string[]): ApiError {
  const message = `only the following media types are accepted: ${accepted.join(", ")}`;
  return new ApiError({ code: 406, reason: "NotAcceptable", message });
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`;
  return new ApiError({ code: 415, reason: "UnsupportedMediaType", message });
}

export function tooLarge(limitBytes: number): ApiError {
  const message = `Request entity too large: limit is ${limitBytes}`;
  return new ApiError({ code: 413, reason: "RequestEntityTooLarge", message });
}

export function expired(message: string, metadata?: Record<string, unknown>): ApiError {
  return new ApiError({ code: 410, reason: "Expired", message, ...(metadata === undefined ? {} : { metadata }) });
}

/** The caller asks for a state that this server has not reached. */
export function futureRevision(asked: number, current: number): ApiError {
  const message = `Too large resource version: ${asked}, current: ${current}`;
  const cause = { reason: "ResourceVersionTooLarge", message: "Too large resource version" };
  return new ApiError({
    code: 504,
    reason: "Timeout",
    message: `Timeout: ${message}`,
    details: { causes: [cause], retryAfterSeconds: 1 },
  });
}

/** What an unexpected exception becomes: the client learns that it is a bug here, the server goes on. */
export function internal(error: unknown): ApiError {
  const text = error instanceof Error ? error.message : String(error);
  const message = `Internal error occurred: ${text}`;
  return new ApiError({ code: 500, reason: "InternalError", message, details: { causes: [{ message: text }] } });
}
