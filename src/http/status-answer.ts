import type { Response } from "express";

/** Codes with which the API answers, and the words that Kubernetes has for them (metav1.StatusReason). */
const REASONS = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  409: "Conflict",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  500: "InternalError",
  503: "ServiceUnavailable",
} as const;

export type StatusCode = keyof typeof REASONS;

/** A refusal for the client: what is wrong, and what to do about it. */
export class StatusError extends Error {
  readonly code: StatusCode;

  constructor(code: StatusCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Answers as the Kubernetes API does: a Status object, which kubectl and people read alike. */
export function sendStatus(response: Response, code: StatusCode, message: string): void {
  const head = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure" };
  response.status(code).json({ ...head, message, reason: REASONS[code], code });
}
