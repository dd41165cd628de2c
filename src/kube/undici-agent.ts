/**
 * undici's Agent by itself, for `dispatch`. All of undici is fetch, caches, mocks and WebSockets too: 80 modules and 12 MiB that courier
 * has no use for (docs/decisions/036).
 */
import { createRequire } from "node:module";

type Undici = typeof import("undici");

const require = createRequire(import.meta.url); // its parts have no types of their own
export const Agent = require("undici/lib/dispatcher/agent.js") as Undici["Agent"];
