import type { Plan, Task } from "../../src/delivery/plan.ts";
import { addAttempt, type Progress } from "../../src/delivery/progress.ts";
import type { Reason } from "../../src/delivery/reasons.ts";

export const NOW = new Date("2026-11-22T10:00:00.500Z");
/** A task for ann, bob and cy. */
export const task: Task = {
  id: "ops/Email",
  notification: "ops",
  method: "Email",
  template: "change",
  recipients: ["ann@example.com", "bob@example.com", "cy@example.com"],
  contentHash: "0123456789abcdef",
};
export const plan: Plan = { tasks: [task], refusals: [] };

/** `progress` after an attempt at {@link task} with these reasons, by address. */
export function attempt(progress: Progress, outcomes: Record<string, Reason>): Progress {
  const rows = Object.entries(outcomes).map(([address, reason]) => ({ address, reason, message: `${reason}.` }));
  return addAttempt(progress, task.id, rows);
}
