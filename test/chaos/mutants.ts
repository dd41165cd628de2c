/** Breaks courier on purpose, in a copy, and shows that the suite notices: a suite that sees nothing proves nothing. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../deploy/manifests.ts";
import { PHASES } from "./phases.ts";
import { playPhase } from "./play.ts";
import { IN_HAND, openStage } from "./stage.ts";
import { judge } from "./verdict.ts";

interface Mutant {
  /** What courier then does wrong. */
  name: string;
  file: string;
  /** Stands once in the file. */
  find: string;
  replace: string;
  /** The phase in which it must show. */
  phase: string;
}

const ATTEMPT = "const progress = await attemptTasks(occasion, plan, earlier, logged, signal);";

export const MUTANTS: readonly Mutant[] = [
  {
    name: "writes the status before it sends",
    file: "src/delivery/reconcile.ts",
    find: ATTEMPT,
    replace: `
      const allOf = (task) => new Map(task.recipients.map((to) => [to, { reason: "Delivered", message: "", attempts: 1 }]));
      const assumed = { key, object, message, plan, followed, progress: new Map(plan.tasks.map((task) => [task.id, allOf(task)])) };
      await record(assumed, { inMs: 1000, afterMs: 1000 }, logged, signal);
      ${ATTEMPT}`,
    phase: "kill",
  },
  {
    name: "skips the Lease check",
    file: "src/delivery/reconcile.ts",
    find: "if (!ports.isHeld()) throw new ShardLost();",
    replace: "",
    phase: "paused",
  },
  {
    name: "deletes before it writes the status",
    file: "src/delivery/reconcile.ts",
    find: ATTEMPT,
    replace: `${ATTEMPT}
      const isEnded = plan.tasks.every((task) => pendingRecipients(task, progress).length === 0);
      if (isEnded) await ports.messages.remove(key, object.metadata.resourceVersion ?? "", signal);`,
    phase: "calm",
  },
  {
    name: "gives each attempt a Message-ID of its own",
    file: "src/mail/headers.ts",
    find: `return \`\${shortHash(uid)}.\${shortHash(taskId)}@\${domain}\`;`,
    replace: `return \`\${shortHash(uid)}.\${shortHash(taskId + Math.random())}@\${domain}\`;`,
    phase: "drops",
  },
  {
    name: "tries an unknown outcome again and again",
    file: "src/delivery/progress.ts",
    find: '(consequence === "retry-once" && repeated === true)',
    replace: "false",
    phase: "drops",
  },
];

/** Prints how each mutant fared that must show in one of `phases`; in any when there are none. Returns how many were missed. */
export async function playMutants(
  seed: string,
  phases: string[],
  namespaces: boolean,
  signal: AbortSignal,
): Promise<number> {
  let missed = 0;
  for (const mutant of MUTANTS.filter(({ phase }) => phases.length === 0 || phases.includes(phase))) {
    const violations = await playMutant(mutant, seed, namespaces, signal);
    const [first] = violations;
    if (first === undefined) missed += 1;
    console.log(`${first === undefined ? "MISSED " : "noticed"}  courier ${mutant.name} (phase ${mutant.phase})`);
    if (first !== undefined) console.log(`           ${violations.length} things, such as ${first}`);
  }
  return missed;
}

async function playMutant(mutant: Mutant, seed: string, namespaces: boolean, signal: AbortSignal): Promise<string[]> {
  const phase = PHASES.find(({ name }) => name === mutant.phase);
  if (phase === undefined) throw new Error(`there is no phase "${mutant.phase}"`);
  const root = await mkdtemp(join(tmpdir(), "courier-mutant-"));
  try {
    await copyCourier(root);
    await mutate(root, mutant);
    const stage = await openStage({ seed, root, namespaces });
    try {
      await playPhase(stage, phase, false, signal);
      return judge(stage.ledger, phase.name, IN_HAND).violations;
    } finally {
      await stage.close();
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function copyCourier(root: string): Promise<void> {
  for (const part of ["bin", "src", "templates", "package.json"]) {
    await cp(join(ROOT, part), join(root, part), { recursive: true });
  }
  await symlink(join(ROOT, "node_modules"), join(root, "node_modules"));
}

async function mutate(root: string, mutant: Mutant): Promise<void> {
  await writeFile(join(root, mutant.file), await mutated(root, mutant));
}

/** The mutant's file as it must be. @throws where what is to be replaced is not in it, or not once */
export async function mutated(root: string, { name, file, find, replace }: Mutant): Promise<string> {
  const parts = (await readFile(join(root, file), "utf8")).split(find);
  if (parts.length !== 2) throw new Error(`Cannot make the courier that ${name}: "${find}" is not once in ${file}`);
  return parts.join(replace);
}
