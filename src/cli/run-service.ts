import type { Service } from "../app/service.ts";
import type { Logger } from "../observe/logger.ts";

/** Runs a service until SIGTERM or SIGINT has stopped it (a second one ends the process at once). Returns the exit code. */
export async function runService(service: Service, logger: Logger): Promise<number> {
  const { host, port } = service.address;
  logger.info({ address: `http://${host}:${port}` }, "Listening");
  const asked = Promise.withResolvers<void>();
  const onSignal = (signal: NodeJS.Signals) => {
    logger.info({ signal }, "Stopping");
    asked.resolve();
    process.once(signal, () => process.exit(130));
  };
  process.once("SIGTERM", onSignal);
  process.once("SIGINT", onSignal);
  try {
    await Promise.race([asked.promise, service.done]);
    await service.stop();
    logger.info("Stopped");
    return 0;
  } finally {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  }
}
