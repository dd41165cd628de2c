import { startGenerator } from "../app/generator-service.ts";
import type { GenerateConfig } from "../config/config.ts";
import { createLogger } from "../observe/logger.ts";
import { runService } from "./run-service.ts";

/** `courier generate`: the generator until it is stopped. Returns the exit code. */
export async function generate(config: GenerateConfig): Promise<number> {
  const logger = createLogger({ format: config.logFormat, level: config.logLevel, fieldStyle: "pairs" });
  return runService(await startGenerator(config, logger), logger);
}
