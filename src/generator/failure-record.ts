import type { Logger } from "../observe/logger.ts";
import { apiVersionOf } from "../resources/kinds.ts";
import { messageOf } from "./errors.ts";
import { policyReference } from "./event-reference.ts";
import { type GeneratorPorts, isApiError } from "./ports.ts";
import { triggerKey } from "./request.ts";
import {
  buildUpdateRequest,
  type FailedRequest,
  type FailurePlace,
  failedStatus,
  OWN_SELECTOR,
  parseUpdateRequest,
  UPDATE_REQUEST,
  updateRequestName,
} from "./update-request.ts";

const MAX_RECORDS = 1_000;

export type { FailurePlace } from "./update-request.ts";

/** Keeps failures visible in the cluster: a Warning Event on the policy, and an UpdateRequest in state Failed until it succeeds. */
export class FailureRecord {
  readonly #ports: GeneratorPorts;
  readonly #namespace: string;
  readonly #logger: Logger;
  readonly #written = new Set<string>();
  readonly #told = new Set<string>();

  /** @param namespace where UpdateRequests go */
  constructor(ports: GeneratorPorts, namespace: string, logger: Logger) {
    this.#ports = ports;
    this.#namespace = namespace;
    this.#logger = logger;
  }

  /** Never rejects: what cannot be written is logged. */
  async failed(place: FailurePlace, message: string, tries: number, signal: AbortSignal): Promise<void> {
    await this.#attempt("Event", signal, () => this.#recordEvent(place, message, signal));
    await this.#attempt("UpdateRequest", signal, () => this.#write(place, message, tries, signal));
  }

  /** Removes the UpdateRequest of an earlier failure, if there is one: it succeeded, or nobody wants it any more. */
  async resolved(place: FailurePlace, signal: AbortSignal): Promise<void> {
    const name = updateRequestName(place);
    if (this.#written.has(name)) await this.remove(name, signal);
  }

  /** The failures of this generator, and of those before it, that nobody has mended yet. @throws ApiError */
  async *unresolved(signal: AbortSignal): AsyncGenerator<FailedRequest> {
    const options = { namespace: this.#namespace, labelSelector: OWN_SELECTOR };
    for await (const { items } of this.#ports.cluster.listPages(UPDATE_REQUEST, options, signal))
      for (const item of items) {
        const request = parseUpdateRequest(item);
        if (request !== undefined) yield request;
      }
  }

  /** Removes the UpdateRequest of this name. Never rejects. */
  async remove(name: string, signal: AbortSignal): Promise<void> {
    await this.#attempt("UpdateRequest", signal, async () => {
      await this.#ports.cluster.delete(UPDATE_REQUEST, { namespace: this.#namespace, name }, undefined, signal);
      this.#written.delete(name);
    });
  }

  /** Says in the UpdateRequest of this name that it failed once more. Never rejects. */
  async failedAgain({ name, tries }: FailedRequest, message: string, signal: AbortSignal): Promise<void> {
    await this.#attempt("UpdateRequest", signal, () => this.#writeStatus(name, message, tries + 1, signal));
  }

  async #recordEvent({ subject, request }: FailurePlace, message: string, signal: AbortSignal): Promise<void> {
    const { policy, rule } = subject;
    const { object, type } = request;
    const related = { ...object, apiVersion: object.apiVersion ?? apiVersionOf(type), kind: object.kind ?? type.kind };
    await this.#ports.recordEvent(
      {
        regarding: policyReference(policy),
        related,
        type: "Warning",
        reason: "PolicyError",
        action: "None",
        note: `policy ${policy.name}/${rule.name} error: ${message}`,
      },
      signal,
    );
  }

  async #write(place: FailurePlace, message: string, tries: number, signal: AbortSignal): Promise<void> {
    const { cluster } = this.#ports;
    const object = buildUpdateRequest(this.#namespace, place);
    const { name = "" } = object.metadata;
    if (!this.#written.has(name) && this.#written.size >= MAX_RECORDS)
      throw new Error(`there are ${MAX_RECORDS} already, the failure of ${triggerKey(place.request)} is only logged`);
    try {
      await cluster.create(UPDATE_REQUEST, object, signal);
    } catch (error) {
      if (!isApiError(error) || error.reason !== "AlreadyExists") throw error;
    }
    this.#written.add(name);
    await this.#writeStatus(name, message, tries, signal);
  }

  async #writeStatus(name: string, message: string, tries: number, signal: AbortSignal): Promise<void> {
    const key = { namespace: this.#namespace, name };
    const { cluster } = this.#ports;
    await cluster.mergePatch(UPDATE_REQUEST, key, failedStatus(message, tries), { subresource: "status" }, signal);
  }

  async #attempt(what: string, signal: AbortSignal, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (signal.aborted) return;
      const level = this.#told.has(what) ? "debug" : "warn";
      this.#told.add(what);
      this.#logger[level]({ error: messageOf(error) }, `cannot write the ${what} of a failure`);
    }
  }
}
