import type { GeneratorPorts, ServedType } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";

/** A change with the rules that may match its object. */
export interface SourceChange {
  rules: readonly PolicyRule[];
  request: ChangeRequest;
  /** To be called when all that the change asks for is done. @param hadEffect whether something was written */
  finish(hadEffect: boolean): void;
}

export interface TypeSourceOptions {
  type: ServedType;
  watch: GeneratorPorts["watch"];
  /** Called for each change that a rule may match, in order; the watch waits for it. */
  onChange(change: SourceChange): Promise<void>;
  /** Called, where it is given, with the rules that pass over a change because of its object's namespace or name. */
  onPassedOver?: ((rules: readonly PolicyRule[], request: ChangeRequest) => Promise<void>) | undefined;
  /** Called when what a checkpoint would say of an object has changed; `hadEffect` if looking twice would be wrong. */
  onSettled?(uid: string, hadEffect: boolean): void;
  /** Called when a watch is synced or in trouble. */
  onState(): void;
  /** Changes since the last one seen are not remembered by the server, so that only their sum is seen. */
  onGap?(): void;
}
