/** The sandbox's API server against a real one: the same calls of the same client, 32 in flight. */
import { type Api, inParallel } from "./api.ts";
import { benchMessage, MESSAGES_PATH } from "./delivery/messages.ts";

/** Calls a second, by what they do. */
export type ApiRates = Record<"create" | "get" | "status" | "delete", number>;

const IN_FLIGHT = 32;

export async function measureApiRates(api: Api, count: number): Promise<ApiRates> {
  const names = Array.from({ length: count }, (_, index) => `rate-${Date.now().toString(36)}-${index}`);
  const rate = async (work: (name: string) => Promise<unknown>) => {
    const startMs = performance.now();
    await inParallel(names, IN_FLIGHT, async (name) => void (await work(name)));
    return count / ((performance.now() - startMs) / 1000);
  };
  const at = (name: string) => `${MESSAGES_PATH}/${name}`;
  const status = { phase: "Processing" };
  return {
    create: await rate((name) => api.call("POST", MESSAGES_PATH, benchMessage(name))),
    get: await rate((name) => api.call("GET", at(name))),
    status: await rate((name) => api.call("PATCH", `${at(name)}/status`, { status })),
    delete: await rate((name) => api.call("DELETE", at(name))),
  };
}

export const API_HEAD = ["API server", "create /s", "get /s", "status patch /s", "delete /s"];

export function showApiRates(rates: Record<string, ApiRates>): string[][] {
  return Object.entries(rates).map(([name, { create, get, status, delete: remove }]) => [
    name,
    ...[create, get, status, remove].map((each) => each.toFixed(0)),
  ]);
}
