import express, { type ErrorRequestHandler, type Express } from "express";
import type { Registry } from "prom-client";
import type { Readiness } from "../observe/readiness.ts";
import { type ApiPorts, createApi } from "./api.ts";
import { sendStatus } from "./status-answer.ts";

export interface HttpPorts {
  readiness: Readiness;
  metrics: Registry;
  /** Absent where there is nothing to ask for but health and metrics. */
  api?: ApiPorts;
}

/** For every answer: nothing of it runs, is framed, is kept, or is read by another site. */
const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

/** `/healthz`, `/readyz`, `/metrics` and `/api/v1`, without `listen()`; everything else is 404. */
export function createHttpApp({ readiness, metrics, api }: HttpPorts): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use((_request, response, next) => {
    response.set(HEADERS);
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
  if (api !== undefined) app.use("/api/v1", createApi(api));
  const paths = ["/healthz", "/readyz", "/metrics", ...(api ? ["/api/v1/messages/<namespace>/<name>"] : [])];
  app.use((_request, response) => sendStatus(response, 404, `there is nothing here: try ${paths.join(", ")}`));
  app.use(refuseUnreadable);
  return app;
}

/** Express throws for a path that it cannot decode, and would show its own page for it. */
const refuseUnreadable: ErrorRequestHandler = (error: { status?: unknown }, _request, response, next) => {
  if (response.headersSent) return next(error);
  if (error.status === 400) sendStatus(response, 400, "the path cannot be decoded");
  else sendStatus(response, 500, "this is a bug in courier");
};
