/** In front of the pool: how many mails may be on their way at once, called by smtp-mailer.ts for each transaction. */
import { pauseMs } from "../control/pause.ts";
import { Slots } from "../control/slots.ts";
import { classifyFailure, type SendStage } from "./classify.ts";
import type { Mail } from "./compose.ts";
import { ConnectionLimit } from "./connection-limit.ts";
import { reportOf } from "./failure-report.ts";
import { asksForLess } from "./reply.ts";
import type { Attempt, SmtpPool } from "./smtp-pool.ts";

/** A mail that is turned away so often while others go through is at fault itself; it is tried again later. */
const MAX_TRIES = 5;

const UNTRIED = { untried: true } as const;

type Failure = Extract<Attempt, { error: unknown }>;

/**
 * A pool that makes do with the connections its server lets it have. A mail that is turned away (421, no connection)
 * while others are served is put back, and fewer are sent at a time. While no session is up one mail goes ahead alone;
 * where it gets none, those behind it are told so and do not knock as well.
 */
export function throttlePool(pool: SmtpPool, maxConnections: number, now: () => number): SmtpPool {
  const limit = new ConnectionLimit(maxConnections);
  const slots = new Slots(1);
  let inSession = 0;
  let sessions = 0;

  function adjust(): void {
    slots.limit = inSession > 0 ? limit.current : 1;
  }

  /** Counts one mail's session for as long as it has one; nodemailer may give it another, and is not heard after `end`. */
  function followSession() {
    const before = { inSession, sessions };
    let own = 0;
    let isUp = false;
    let hasEnded = false;
    const enter = (stage: SendStage) => {
      const isNowUp = stage === "transaction" || stage === "handed-over";
      if (hasEnded || isNowUp === isUp) return;
      isUp = isNowUp;
      own += Number(isUp);
      sessions += Number(isUp);
      inSession += isUp ? 1 : -1;
      adjust();
    };
    const end = () => {
      enter("queued");
      hasEnded = true;
    };
    /** Whether other mails had a session meanwhile: the server works, for some. */
    const hadCompany = () => before.inSession > 0 || sessions - before.sessions > own;
    return { enter, end, hadCompany };
  }

  /** The slot's release, or why there is none. */
  async function takeSlot(signal: AbortSignal): Promise<(() => void) | Failure> {
    try {
      return await slots.take(signal);
    } catch (reason) {
      return isFailure(reason) ? reason : { error: reason, stage: "queued", ...UNTRIED };
    }
  }

  async function sendOnce(
    mail: Mail,
    permit: () => void,
    signal: AbortSignal,
  ): Promise<{ attempt: Attempt; serverWorks: boolean }> {
    const session = followSession();
    try {
      const restMs = limit.restMs(now());
      if (restMs > 0) await pauseMs(restMs, signal);
      const attempt = await pool.send(mail, permit, signal, session.enter);
      return { attempt, serverWorks: session.hadCompany() };
    } catch (error) {
      return { attempt: { error, stage: "queued", ...UNTRIED }, serverWorks: false };
    } finally {
      session.end();
    }
  }

  /** What follows for the others from one mail's failure, and whether that mail may go again at once. */
  function judge(failure: Failure, serverWorks: boolean, epoch: number): "put back" | "over" {
    const report = reportOf(failure.error, failure.stage);
    const reply = report.responseCode === undefined ? undefined : { ...report, responseCode: report.responseCode };
    const wantsLess = reply !== undefined && asksForLess(reply);
    const reason = classifyFailure(report);
    if (wantsLess || (serverWorks && reason === "ServerUnavailable")) limit.refused(epoch, now());
    if (!serverWorks && failure.stage === "connecting") slots.turnAway({ ...failure, ...UNTRIED });
    const isSessionEnded = reply?.responseCode === 421;
    if (!serverWorks && isSessionEnded && failure.stage !== "connecting") limit.rest(now());
    return serverWorks && (isSessionEnded || reason === "ServerUnavailable") ? "put back" : "over";
  }

  return {
    takesUtf8Addresses: () => pool.takesUtf8Addresses(),
    get secrets() {
      return pool.secrets;
    },
    close: () => pool.close(),
    async send(mail, permit, signal) {
      for (let tries = 1; ; tries++) {
        const release = await takeSlot(signal);
        if (typeof release !== "function") return release;
        const { epoch } = limit;
        const { attempt, serverWorks } = await sendOnce(mail, permit, signal);
        if ("info" in attempt) limit.taken(now());
        const isOver = "info" in attempt || signal.aborted || judge(attempt, serverWorks, epoch) === "over";
        adjust();
        release();
        if (isOver) return attempt;
        if (tries === MAX_TRIES) return { ...attempt, serverWorks, ...(attempt.stage === "connecting" && UNTRIED) };
      }
    },
  };
}

function isFailure(reason: unknown): reason is Failure {
  return typeof reason === "object" && reason !== null && "stage" in reason && "error" in reason;
}
