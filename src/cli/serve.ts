import { startDelivery } from "../app/delivery-service.ts";
import type { ServeConfig } from "../config/config.ts";
import { createLogger } from "../observe/logger.ts";
import { runService } from "./run-service.ts";

/** `courier serve`: courier-api until it is stopped. Returns the exit code. */
export async function serve(config: ServeConfig): Promise<number> {
  const logger = createLogger({ format: config.logFormat, level: config.logLevel });
  return runService(await startDelivery(config, logger), logger);
}
