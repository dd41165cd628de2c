/** The replicas of `courier serve`, processes that can be killed, paused and started again. */
import { fileURLToPath } from "node:url";
import { type CourierProcess, startCourier } from "../deploy/courier-process.ts";
import type { Network } from "./network.ts";

export interface ReplicaOptions {
  /** The checkout whose courier runs. */
  root: string;
  kubeconfig: string;
  /** Flags of `serve` beyond those that every replica gets. */
  flags: string[];
  network: Network;
}

/** One place of the Deployment: processes come and go in it. */
export class Replica {
  readonly number: number;
  readonly #options: ReplicaOptions;
  readonly #logs: string[] = [];
  #process: CourierProcess | undefined;
  #incarnation = 0;
  #pod = 1;
  #isAlive = false;

  constructor(number: number, options: ReplicaOptions) {
    this.number = number;
    this.#options = options;
  }

  /** What the running process, or the last one, is called: the name that it greets the SMTP server with. */
  get client(): string {
    return `replica-${this.number}.${this.#incarnation}`;
  }

  /** Whether a process runs that was not killed. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** What all its processes have printed. */
  get logs(): string[] {
    return [...this.#logs, ...(this.#process?.lines ?? [])];
  }

  /** A container that starts anew keeps its Pod's name; a new Pod has another. Resolves when it has a Lease's answer. */
  async start({ newPod = false, clockMs = 0 } = {}): Promise<void> {
    this.#incarnation += 1;
    if (newPod) this.#pod += 1;
    if (this.#process !== undefined) this.#logs.push(...this.#process.lines, `--- ${this.client}`);
    const { root, kubeconfig, flags, network } = this.#options;
    const identity = `courier-api-${this.number}-${this.#pod}`;
    const fixed = ["--kubeconfig", kubeconfig, "--identity", identity, "--http-listen", "127.0.0.1:0"];
    this.#process = startCourier(["serve", ...fixed, ...flags], {
      root,
      prefix: network.prefix(this.number),
      nodeArgs: ["--import", fileURLToPath(new URL("replica-preload.ts", import.meta.url))],
      env: { CHAOS_HOSTNAME: this.client, CHAOS_CLOCK_MS: `${clockMs}` },
    });
    await this.#process.line("Listening");
    this.#isAlive = true;
  }

  /** kill -9. Resolves when the process is no more. */
  async kill(): Promise<void> {
    this.#isAlive = false;
    this.#process?.signal("SIGKILL");
    await this.#process?.ended;
  }

  /** Asks it to end, as a rolling update does. Resolves when it has. */
  async stop(): Promise<void> {
    this.#isAlive = false;
    await this.#process?.stop();
  }

  pause(): void {
    this.#process?.signal("SIGSTOP");
  }

  resume(): void {
    this.#process?.signal("SIGCONT");
  }
}
