import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { KubeError } from "../../src/kube/kube-error.ts";
import {
  type WatchEvent,
  type WatchHandlers,
  type WatchOptions,
  type WatchState,
  watchResource,
} from "../../src/kube/watch-resource.ts";
import { CONFIG_MAP } from "../../src/resources/kinds.ts";
import { clientOf, type Exchange, json, startServer, status, until } from "./scripted-server.ts";

type Step = (exchange: Exchange) => void;

/** Answers each request by the next step; the last step answers all that follow. Records what was asked. */
async function play(
  t: TestContext,
  steps: Step[],
  { onMetadata, ...options }: WatchOptions & Pick<WatchHandlers, "onMetadata"> = {},
) {
  const asked: string[] = [];
  const server = await startServer(t, (exchange) => {
    const { query } = exchange;
    asked.push(
      query.has("watch") ? `watch ${query.get("resourceVersion")}` : `list ${query.get("continue") ?? ""}`.trim(),
    );
    (steps[Math.min(asked.length, steps.length) - 1] as Step)(exchange);
  });
  const client = await clientOf(t, server);
  const events: string[] = [];
  const states: WatchState[] = [];
  const controller = new AbortController();
  const handlers = {
    onEvent: (event: WatchEvent): void | Promise<void> => void events.push(tell(event)),
    onState: (state: WatchState) => void states.push(state),
    ...(onMetadata && { onMetadata }),
  };
  const start = () => {
    const ended = watchResource(client, CONFIG_MAP, options, handlers, controller.signal);
    t.after(() => controller.abort());
    return ended;
  };
  return { asked, events, states, handlers, server, controller, start, phases: () => states.map(({ phase }) => phase) };
}

function tell(event: WatchEvent): string {
  return event.type === "Synced" ? `Synced ${event.resourceVersion}` : `${event.type} ${event.object.metadata.name}`;
}

function object(name: string, resourceVersion: string): object {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, resourceVersion } };
}

function line(type: string, name: string, resourceVersion: string): string {
  return `${JSON.stringify({ type, object: object(name, resourceVersion) })}\n`;
}

const list =
  (resourceVersion: string, ...names: string[]): Step =>
  ({ response }) =>
    json(response, { metadata: { resourceVersion }, items: names.map((name) => object(name, "1")) });
const lines =
  (...written: string[]): Step =>
  ({ response }) =>
    response.end(written.join(""));
const stay =
  (...written: string[]): Step =>
  ({ response }) => {
    response.writeHead(200);
    response.write(written.join("") || "\n");
  };
const refuse =
  (code: number, reason: string, headers: Record<string, string> = {}): Step =>
  ({ response }) =>
    json(response, status(code, reason, `it is ${reason}`), code, headers);

test("a paged list, then the changes from its version on, in order", async (t) => {
  const firstPage: Step = ({ response }) =>
    json(response, { metadata: { resourceVersion: "5", continue: "more" }, items: [object("a", "1")] });
  const watch = stay(line("ADDED", "c", "6"), line("MODIFIED", "a", "7"), line("DELETED", "b", "8"));
  const run = await play(t, [firstPage, list("5", "b"), watch], { pageSize: 1 });
  const ended = run.start();
  await until(() => run.events.length === 6);
  assert.deepEqual(run.events, ["Listed a", "Listed b", "Synced 5", "Added c", "Modified a", "Deleted b"]);
  assert.deepEqual(run.asked, ["list", "list more", "watch 5"]);
  assert.deepEqual(run.phases(), ["listing", "watching"]);
  run.controller.abort();
  await ended;
});

test("a quiet watch is watching as soon as the server answers", async (t) => {
  const quiet: Step = ({ response }) => response.writeHead(200).flushHeaders();
  const run = await play(t, [list("5"), quiet]);
  void run.start();
  await until(() => run.phases().includes("watching"));
});

test("what is asked: bookmarks, a jittered end, selectors and namespace", async (t) => {
  let path = "";
  let query = new URLSearchParams();
  const watch: Step = (exchange) => {
    ({ path, query } = exchange);
    stay()(exchange);
  };
  const options = { namespace: "ns", labelSelector: "a=b", fieldSelector: "metadata.name=x", timeoutSeconds: 100 };
  const run = await play(t, [list("5"), watch], options);
  void run.start();
  await until(() => path !== "");
  assert.equal(path, "/api/v1/namespaces/ns/configmaps");
  const seconds = Number(query.get("timeoutSeconds"));
  assert.ok(seconds >= 80 && seconds <= 120, `${seconds}`);
  query.delete("timeoutSeconds");
  assert.deepEqual(Object.fromEntries(query), {
    ...{ watch: "true", allowWatchBookmarks: "true", resourceVersion: "5" },
    ...{ labelSelector: "a=b", fieldSelector: "metadata.name=x" },
  });
});

test("an ended watch is opened again at once from the last event or bookmark, without a list", async (t) => {
  const bookmark = line("BOOKMARK", "", "9");
  const run = await play(t, [
    list("5", "a"),
    lines(line("ADDED", "b", "6")),
    lines(bookmark),
    stay(line("ADDED", "c", "10")),
  ]);
  void run.start();
  await until(() => run.events.includes("Added c"));
  assert.deepEqual(run.asked, ["list", "watch 5", "watch 6", "watch 9"]);
  assert.deepEqual(run.events, ["Listed a", "Synced 5", "Added b", "Added c"]);
  assert.deepEqual(run.phases(), ["listing", "watching"]);
});

for (const [how, gone] of [
  ["as an answer", refuse(410, "Expired")],
  ["as an event", lines(`${JSON.stringify({ type: "ERROR", object: status(410, "Expired", "too old") })}\n`)],
] as const) {
  test(`410 ${how} leads to a new list`, async (t) => {
    const run = await play(t, [list("5", "a"), gone, list("8", "b"), stay()]);
    void run.start();
    await until(() => run.asked.length === 4);
    assert.deepEqual(run.asked, ["list", "watch 5", "list", "watch 8"]);
    assert.deepEqual(run.events, ["Listed a", "Synced 5", "Listed b", "Synced 8"]);
  });
}

test("a version ahead of the server's leads to a new list", async (t) => {
  const ahead = status(504, "Timeout", "Too large resource version", {
    causes: [{ reason: "ResourceVersionTooLarge" }],
  });
  const run = await play(t, [list("500"), ({ response }) => json(response, ahead, 504), list("8"), stay()]);
  void run.start();
  await until(() => run.asked.length === 4);
  assert.deepEqual(run.asked, ["list", "watch 500", "list", "watch 8"]);
});

for (const [what, trouble, reason] of [
  ["500", refuse(500, "InternalError"), "InternalError"],
  ["a dropped connection", (({ response }) => response.destroy()) as Step, "ConnectionLost"],
  [
    "an ERROR event",
    lines(`${JSON.stringify({ type: "ERROR", object: status(500, "InternalError", "etcd") })}\n`),
    "InternalError",
  ],
  ["a garbage line", lines("<html>\n"), "AnswerInvalid"],
  ["a JSON line that is no event", lines('{"type":"ADDED"}\n'), "AnswerInvalid"],
  ["an end inside an event", lines('{"type":"ADD'), "ConnectionLost"],
  ["an end at once", lines(), "ConnectionLost"],
] as const) {
  test(`${what} is a pause, then the watch goes on from the same version`, async (t) => {
    const run = await play(t, [list("5"), trouble, stay(line("ADDED", "b", "6"))]);
    void run.start();
    await until(() => run.events.includes("Added b"));
    assert.deepEqual(run.asked, ["list", "watch 5", "watch 5"]);
    const retries = run.states.filter((state) => state.phase === "retrying");
    assert.equal(retries.length, 1);
    const [{ error } = { error: undefined }] = retries;
    assert.ok(error instanceof KubeError);
    assert.equal(error.reason, reason);
    assert.equal(run.phases().at(-1), "watching");
  });
}

test("events before a garbage line in the same chunk are delivered once", async (t) => {
  const run = await play(t, [list("5"), lines(line("ADDED", "a", "6"), "garbage\n"), stay(line("ADDED", "b", "7"))]);
  void run.start();
  await until(() => run.events.includes("Added b"));
  assert.deepEqual(run.events, ["Synced 5", "Added a", "Added b"]);
  assert.deepEqual(run.asked, ["list", "watch 5", "watch 6"]);
});

test("of a change that its metadata tells all about nothing else is read, and the watch goes on after it", async (t) => {
  const unread = '{"type":"MODIFIED","object":{"metadata":{"name":"a","resourceVersion":"6"},"spec":<html>\n';
  const watch = lines(unread, line("ADDED", "b", "7"), line("DELETED", "c", "8"));
  const run = await play(t, [list("5"), watch, stay()], {
    onMetadata(type, { name }) {
      run.events.push(`glance at ${type} ${name}`);
      return type !== "Added";
    },
  });
  void run.start();
  await until(() => run.asked.length === 3);
  const glances = ["glance at Modified a", "glance at Added b", "Added b", "glance at Deleted c"];
  assert.deepEqual(run.events, ["Synced 5", ...glances]);
  assert.deepEqual(run.asked, ["list", "watch 5", "watch 8"]);
});

for (const [where, garbage] of [
  [
    "in the rest of a line whose metadata is not enough",
    '{"metadata":{"name":"a","resourceVersion":"6"},"spec":<html>',
  ],
  ["in the metadata", '{"metadata":{"name":"a","resourceVersion":<6>},"spec":{}'],
] as const) {
  test(`garbage ${where} is a pause, told as an answer that is none`, async (t) => {
    const unread = `{"type":"MODIFIED","object":${garbage}}}\n`;
    const run = await play(t, [list("5"), lines(unread), stay()], { onMetadata: () => false });
    void run.start();
    await until(() => run.asked.length === 3);
    assert.deepEqual(run.asked, ["list", "watch 5", "watch 5"]);
    const errors = run.states.flatMap((state) => (state.phase === "retrying" ? [state.error] : []));
    assert.deepEqual(
      errors.map((error) => error instanceof KubeError && error.reason),
      ["AnswerInvalid"],
    );
  });
}

test("after an abort no more metadata is told", async (t) => {
  const run = await play(t, [list("5"), stay(line("DELETED", "a", "6") + line("DELETED", "b", "7"))], {
    onMetadata(_, { name }) {
      run.events.push(`glance at ${name}`);
      run.controller.abort();
      return true;
    },
  });
  await run.start();
  assert.deepEqual(run.events, ["Synced 5", "glance at a"]);
});

test("an end inside an event is a failure, also of a watch that has brought others", async (t) => {
  const run = await play(t, [list("5"), lines(line("ADDED", "a", "6"), '{"type":"ADD'), stay()]);
  void run.start();
  await until(() => run.asked.length === 3);
  assert.deepEqual(run.asked, ["list", "watch 5", "watch 6"]);
  assert.equal(run.states.filter(({ phase }) => phase === "retrying").length, 1);
});

test("what a handler of metadata throws ends the watch with it", async (t) => {
  const run = await play(t, [list("5"), stay(line("ADDED", "a", "6"))], {
    onMetadata() {
      throw new Error("a bug");
    },
  });
  await assert.rejects(run.start(), { message: "a bug" });
});

test("a list that fails between its pages starts again, and only its end is Synced", async (t) => {
  const half: Step = ({ response }) =>
    json(response, { metadata: { resourceVersion: "5", continue: "more" }, items: [object("a", "1")] });
  const run = await play(t, [half, refuse(410, "Expired"), list("7", "a", "b"), stay()]);
  void run.start();
  await until(() => run.asked.length === 4);
  assert.deepEqual(run.asked, ["list", "list more", "list", "watch 7"]);
  assert.deepEqual(run.events, ["Listed a", "Listed a", "Listed b", "Synced 7"]);
});

test("a connection that carries nothing is given up, told, and the watch opened anew without a list", async (t) => {
  const run = await play(t, [list("5"), stay(), stay(line("ADDED", "a", "6"))], { silenceMs: 100 });
  void run.start();
  await until(() => run.events.includes("Added a"));
  assert.deepEqual(run.asked.slice(0, 3), ["list", "watch 5", "watch 5"]);
  const retry = run.states.find((state) => state.phase === "retrying");
  assert.match(retry?.error.message ?? "", /^Cannot watch configmaps at .*: the answer stopped coming$/);
});

test("a healthy server is asked to end a quiet watch before its silence tells anything", async (t) => {
  const asked: number[] = [];
  const quiet: Step = (exchange) => {
    asked.push(Number(exchange.query.get("timeoutSeconds")));
    exchange.response.end(line("BOOKMARK", "", "6"));
  };
  const run = await play(t, [list("5"), ...Array.from({ length: 50 }, () => quiet), stay()], { silenceMs: 60_000 });
  void run.start();
  await until(() => asked.length === 50);
  assert.ok(Math.min(...asked) >= 36 && Math.max(...asked) <= 54, `${asked}`);
});

test("a server that never begins to answer is trouble", async (t) => {
  const run = await play(t, [list("5"), () => {}, stay(line("ADDED", "a", "6"))], { silenceMs: 100 });
  void run.start();
  await until(() => run.events.includes("Added a"));
  assert.ok(run.phases().includes("retrying"));
});

test("a handler at work does not count as silence, and the next event waits for it", async (t) => {
  const run = await play(t, [list("5"), stay(line("ADDED", "a", "6"), line("ADDED", "b", "7"))], { silenceMs: 100 });
  let atWork = 0;
  run.handlers.onEvent = async (event) => {
    atWork += 1;
    assert.equal(atWork, 1);
    await new Promise((resolve) => setTimeout(resolve, 150));
    run.events.push(tell(event));
    atWork -= 1;
  };
  void run.start();
  await until(() => run.events.length === 3);
  assert.deepEqual(run.events, ["Synced 5", "Added a", "Added b"]);
});

test("a kind that is not installed yet is found within seconds of its installation", async (t) => {
  const missing = refuse(404, "NotFound");
  const run = await play(t, [missing, missing, missing, list("5", "a"), stay()]);
  void run.start();
  await until(() => run.events.includes("Listed a"));
  const retries = run.states.filter((state) => state.phase === "retrying");
  assert.equal(retries.length, 3);
  assert.ok(retries.every(({ retryInMs }) => retryInMs <= 5_000));
});

test("a kind that is not allowed is told with the server's words", async (t) => {
  const run = await play(t, [refuse(403, "Forbidden")]);
  void run.start();
  await until(() => run.states.length >= 2);
  const [, retry] = run.states;
  assert.equal(retry?.phase, "retrying");
  assert.match(retry.error.message, /^Cannot list configmaps: it is Forbidden \(403 Forbidden\)$/);
});

test("Retry-After is the least that is waited", async (t) => {
  const run = await play(t, [list("5"), refuse(503, "ServiceUnavailable", { "retry-after": "1" }), stay()]);
  void run.start();
  await until(() => run.phases().includes("retrying"));
  const retry = run.states.find((state) => state.phase === "retrying");
  assert.equal(retry?.retryInMs, 1000);
});

test("pauses grow while trouble lasts", async (t) => {
  const run = await play(t, [refuse(500, "InternalError")]);
  void run.start();
  await until(() => run.states.filter(({ phase }) => phase === "retrying").length === 4);
  const pauses = run.states.flatMap((state) => (state.phase === "retrying" ? [state.retryInMs] : []));
  for (const [index, pause] of pauses.entries()) {
    assert.ok(pause >= 50 * 2 ** index && pause <= 100 * 2 ** index, `${pauses}`);
  }
});

test("a new list after an outage does not wait as long as the outage made the pauses", async (t) => {
  const down = refuse(500, "InternalError");
  const run = await play(t, [
    list("5"),
    down,
    down,
    down,
    refuse(410, "Expired"),
    refuse(410, "Expired"),
    list("8"),
    stay(),
  ]);
  void run.start();
  await until(() => run.events.includes("Synced 8"));
  const pauses = run.states.flatMap((state) => (state.phase === "retrying" ? [state.retryInMs] : []));
  assert.equal(pauses.length, 5);
  assert.ok((pauses[3] ?? 0) <= 100 && (pauses[4] ?? 0) <= 200, `${pauses}`);
});

test("lines cut anywhere, inside a character too, arrive whole", async (t) => {
  const bytes = Buffer.from(line("ADDED", "ключ-鍵-🔑", "6"));
  const dribble: Step = ({ response }) => {
    const next = (at: number): void => {
      if (at < bytes.length) response.write(bytes.subarray(at, at + 7), () => setImmediate(next, at + 7));
    };
    next(0);
  };
  const run = await play(t, [list("5"), dribble]);
  void run.start();
  await until(() => run.events.length === 2);
  assert.equal(run.events[1], "Added ключ-鍵-🔑");
});

test("what a handler throws ends the watch with it, at once or later", async (t) => {
  const bug = new Error("a bug");
  for (const handle of [() => assert.fail(bug), async () => assert.fail(bug)]) {
    const run = await play(t, [list("5", "a"), stay()]);
    run.handlers.onEvent = handle;
    await assert.rejects(run.start(), bug);
  }
});

test("an abort lets the handler at work finish and calls no other", async (t) => {
  const run = await play(t, [list("5", "a", "b"), stay()]);
  run.handlers.onEvent = async (event) => {
    run.controller.abort();
    await new Promise((resolve) => setImmediate(resolve));
    run.events.push(tell(event));
  };
  await run.start();
  assert.deepEqual(run.events, ["Listed a"]);
});

test("an abort ends a pause and a quiet watch at once", async (t) => {
  const paused = await play(t, [refuse(503, "ServiceUnavailable", { "retry-after": "60" })]);
  const pausedEnd = paused.start();
  await until(() => paused.phases().includes("retrying"));
  paused.controller.abort();
  await pausedEnd;
  const quiet = await play(t, [list("5"), stay()]);
  const quietEnd = quiet.start();
  await until(() => quiet.phases().includes("watching"));
  quiet.controller.abort();
  await quietEnd;
});

test("watches have connections of their own: a write needs no second one beside ten watches", async (t) => {
  const server = await startServer(t, ({ query, response }) =>
    query.has("watch")
      ? response.writeHead(200).write("\n")
      : json(response, { metadata: { resourceVersion: "1" }, items: [] }),
  );
  const client = await clientOf(t, server, { maxConnections: 1 });
  const controller = new AbortController();
  t.after(() => controller.abort());
  let watching = 0;
  const onState = ({ phase }: WatchState) => {
    if (phase === "watching") watching += 1;
  };
  for (let index = 0; index < 10; index += 1) {
    void watchResource(client, CONFIG_MAP, {}, { onEvent: () => {}, onState }, controller.signal);
  }
  await until(() => watching === 10);
  await client.raw("/version");
  assert.equal(server.connections(), 11);
});
