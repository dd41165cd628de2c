import { constants } from "node:os";
import type { Service } from "../app/service.ts";
import type { Logger } from "../observe/logger.ts";

const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Runs a service until SIGTERM or SIGINT has stopped it (a second one ends the process at once). Returns the exit code. */
export async function runService(service: Service, logger: Logger): Promise<number> {
  const { host, port } = service.address;
  logger.info({ address: `http://${host}:${port}` }, "Listening");
  const asked = Promise.withResolvers<void>();
  let isAsked = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (isAsked) process.exit(128 + constants.signals[signal]);
    isAsked = true;
    logger.info({ signal }, "Stopping");
    asked.resolve();
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  try {
    await Promise.race([asked.promise, service.done]);
    await service.stop();
    logger.info("Stopped");
    return 0;
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
  }
}
