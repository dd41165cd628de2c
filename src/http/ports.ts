/** What the HTTP API asks of the cluster; kube/ satisfies it. */
import type { KubeObject } from "../resources/object.ts";

/** Names one message: the group is one of the two in which messages are served. */
export interface MessageKey {
  group: string;
  namespace: string;
  name: string;
}

export interface MessageAccess {
  /** The message as it is now, or undefined when it is gone. */
  get(key: MessageKey, signal: AbortSignal): Promise<KubeObject | undefined>;
  /** Adds annotations to the message if it still has `resourceVersion`. */
  annotate(
    key: MessageKey,
    resourceVersion: string,
    annotations: Record<string, string>,
    signal: AbortSignal,
  ): Promise<"written" | "conflict" | "gone">;
}

/** Whom a token stands for, as the API server says (authentication.k8s.io/v1 UserInfo). */
export interface ApiUser {
  username: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

/** One question to the API server's authorizers (authorization.k8s.io/v1 ResourceAttributes). */
export interface Action {
  verb: "get" | "patch";
  group: string;
  resource: "notificationmessages";
  namespace: string;
  name: string;
}

export interface AccessReviewer {
  /** The user of a token (TokenReview); undefined where the API server does not take it. */
  authenticate(token: string, signal: AbortSignal): Promise<ApiUser | undefined>;
  /** Whether `user` may do this (SubjectAccessReview), and the authorizers' words where there are any. */
  authorize(user: ApiUser, action: Action, signal: AbortSignal): Promise<{ allowed: boolean; reason: string }>;
}

/**
 * Who may use the API:
 * - `loopback`: whoever reaches the address, which this machine's users alone do;
 * - `refused`: nobody, and why;
 * - `tokens`: whom the API server lets do the same.
 */
export type ApiGuard =
  | { kind: "loopback" }
  | { kind: "refused"; why: string }
  | { kind: "tokens"; reviewer: AccessReviewer };
