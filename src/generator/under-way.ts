import type { SeenObject } from "./change.ts";
import type { RecordedChange } from "./known-source.ts";
import type { ObjectLedger } from "./object-ledger.ts";
import type { ServedType } from "./ports.ts";
import { type OpenChange, Progress } from "./progress.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import type { ScopedWatch } from "./scoped-watch.ts";
import type { TypeSourceOptions } from "./source-change.ts";

/** What takes longer is written into the checkpoint before it is done. */
const SLOW_MS = 250;

/** A change that rules are to look at. */
interface Taken {
  uid: string;
  before: SeenObject | undefined;
  request: ChangeRequest;
  rules: readonly PolicyRule[];
}

/** Hands changes on, and knows which are under way until all that they ask for is done. */
export class UnderWay {
  readonly progress: Progress;
  readonly #options: Pick<TypeSourceOptions, "onChange" | "onSettled">;
  #slow: NodeJS.Timeout | undefined;

  constructor(ledger: ObjectLedger, options: Pick<TypeSourceOptions, "onChange" | "onSettled">) {
    this.progress = new Progress(ledger);
    this.#options = options;
  }

  /** Resolves when there is room for more. @param watch that brought the change */
  async take({ uid, before, request, rules }: Taken, watch: ScopedWatch | undefined): Promise<void> {
    const { type: _, ...change } = request;
    const open = this.progress.begin(uid, before, change);
    const release = open.isRecorded ? undefined : watch?.hold();
    this.#options.onSettled?.(uid, false); // the position passes it now, so the object has to go into the next checkpoint
    this.#slow ??= setTimeout(() => this.#tellSlow(), SLOW_MS).unref();
    await this.#handOn(open, rules, request, () => release?.());
  }

  /** Begins again what a process before this one had under way. */
  resume(change: RecordedChange, type: ServedType, rules: readonly PolicyRule[]): void {
    const open = this.progress.resume(change);
    void this.#handOn(open, rules, { ...change, type }, () => {});
  }

  /** One of them is enough to have a checkpoint written, with all of them. */
  #tellSlow(): void {
    this.#slow = undefined;
    const [uid] = this.progress.uids();
    if (uid !== undefined) this.#options.onSettled?.(uid, true);
  }

  #handOn(open: OpenChange, rules: readonly PolicyRule[], request: ChangeRequest, ended: () => void): Promise<void> {
    const finish = (hadEffect: boolean) => {
      ended();
      this.progress.end(open);
      this.#options.onSettled?.(open.uid, hadEffect);
    };
    return this.#options.onChange({ rules, request, finish });
  }
}
