import type { Logger } from "../observe/logger.ts";
import type { KubeObject } from "../resources/object.ts";
import { messageOf } from "./errors.ts";
import { eventReference, policyReference } from "./event-reference.ts";
import type { GeneratorEvent, GeneratorPorts } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";

/** Tells of each target that was created, at the target and at its policy, in Kyverno's words. */
export class SuccessEvents {
  readonly #ports: Pick<GeneratorPorts, "recordEvent">;
  readonly #logger: Logger;
  #hasFailed = false;

  constructor(ports: Pick<GeneratorPorts, "recordEvent">, logger: Logger) {
    this.#ports = ports;
    this.#logger = logger;
  }

  /** Never rejects: what cannot be written is logged. @param target as the API server created it */
  async created({ policy, rule }: PolicyRule, target: KubeObject, signal: AbortSignal): Promise<void> {
    const { kind, metadata } = target;
    const applied = { type: "Normal", reason: "PolicyApplied" } as const;
    const note = `Created ${kind} ${metadata.name} as a result of applying policy ${policy.name}/${rule.name}`;
    const made = eventReference(target);
    await this.#record({ ...applied, regarding: made, action: "None", note }, signal);
    const regarding = policyReference(policy);
    const action = "Resource Generated";
    await this.#record({ ...applied, regarding, related: made, action, note: "resource generated" }, signal);
  }

  async #record(event: GeneratorEvent, signal: AbortSignal): Promise<void> {
    try {
      await this.#ports.recordEvent(event, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#logger[this.#hasFailed ? "debug" : "warn"](
        { error: messageOf(error) },
        "cannot write the Event of a success",
      );
      this.#hasFailed = true;
    }
  }
}
