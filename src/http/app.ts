import express, { type Express } from "express";
import type { Registry } from "prom-client";
import type { Readiness } from "../observe/readiness.ts";

export interface HttpPorts {
  readiness: Readiness;
  metrics: Registry;
}

/** `/healthz`, `/readyz` and `/metrics`, without `listen()`; everything else is 404. */
export function createHttpApp({ readiness, metrics }: HttpPorts): Express {
  const app = express();
  app.disable("x-powered-by");
  app.use((_request, response, next) => {
    response.set({ "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store" });
    next();
  });
  app.get("/healthz", (_request, response) => void response.type("text/plain").send("ok\n"));
  app.get("/readyz", (_request, response) => {
    const missing = readiness.missing();
    response.status(missing.length === 0 ? 200 : 503).type("text/plain");
    const lines = [...missing, ...readiness.notes()].map((line) => `- ${line}\n`);
    response.send(`${missing.length === 0 ? "ok" : "not ready"}\n${lines.join("")}`);
  });
  app.get("/metrics", async (_request, response) => {
    response.set("Content-Type", metrics.contentType).send(await metrics.metrics());
  });
  app.use((_request, response) => {
    response.status(404).type("text/plain").send("not found: try /healthz, /readyz or /metrics\n");
  });
  return app;
}
