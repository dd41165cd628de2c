/** Members of one group over the sandbox's API server; what they do as processes is test/story/replicas.test.ts. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { KubeClient } from "../../src/kube/client.ts";
import { connect } from "../../src/kube/connect.ts";
import { ShardMember } from "../../src/kube/shard-member.ts";
import type { ShardOptions, ShardState } from "../../src/kube/shard-ports.ts";
import { LEASE } from "../../src/resources/kinds.ts";
import { startApiServer } from "../../src/sandbox/apiserver/index.ts";
import { type Link, startLink } from "../support/link.ts";
import { until } from "./scripted-server.ts";

const NAMESPACE = "default";

interface Group {
  client: KubeClient;
  /** The members' way to the API server. */
  link: Link;
  join(identity: string, options?: Partial<ShardOptions>): Joined;
}

interface Joined {
  member: ShardMember;
  states: ShardState[];
  /** Shards in which something is in hand; to be emptied by the test. */
  busy: Set<number>;
  held(): number[];
  leave(): Promise<void>;
  stop(): Promise<void>;
}

async function startGroup(t: TestContext): Promise<Group> {
  const directory = await mkdtemp(join(tmpdir(), "courier-test-"));
  const apiServer = await startApiServer();
  const link = await startLink(apiServer.port);
  const [direct, linked] = [join(directory, "direct"), join(directory, "linked")];
  await apiServer.writeKubeconfig(direct);
  await apiServer.writeKubeconfig(linked, `https://127.0.0.1:${link.port}`);
  const client = await connect({ kubeconfig: direct });
  const own = await connect({ kubeconfig: linked });
  const joined: Joined[] = [];
  t.after(async () => {
    await Promise.all(joined.map((each) => each.stop()));
    await Promise.all([own.close(), client.close()]);
    await link.close();
    await apiServer.close();
    await rm(directory, { recursive: true });
  });
  return {
    client,
    link,
    join(identity, options = {}) {
      const stopping = new AbortController();
      const states: ShardState[] = [];
      const busy = new Set<number>();
      const member = new ShardMember(
        own,
        {
          namespace: NAMESPACE,
          name: "group",
          identity,
          shards: 4,
          leaseDurationMs: 3000,
          watchSilenceMs: 60_000,
          ...options,
        },
        {
          onChange: () => {},
          idle: (shard) => until(() => !busy.has(shard)),
          onState: (state) => void states.push(state),
        },
      );
      const done = member.run(stopping.signal);
      const stop = () => {
        stopping.abort();
        return done;
      };
      const held = () =>
        Array.from({ length: member.count }, (_, shard) => shard).filter(
          (shard) => member.tenureOf(shard) !== undefined,
        );
      const each: Joined = { member, states, busy, held, leave: () => member.leave(), stop };
      joined.push(each);
      return each;
    },
  };
}

function phases({ states }: Joined): string[] {
  return states.map(({ phase }) => phase).filter((phase, index, all) => phase !== all[index - 1]);
}

/** Waits, and on the way looks that no shard is ever held by two. */
async function untilShared(members: Joined[], isIt: () => boolean): Promise<void> {
  await until(() => {
    const held = members.flatMap((each) => each.held());
    assert.equal(new Set(held).size, held.length, `a shard is held twice: ${members.map((each) => each.held())}`);
    return isIt();
  });
}

test("a shard changes hands only when nothing of it is in hand, and nothing new is begun meanwhile", async (t) => {
  const group = await startGroup(t);
  const a = group.join("a");
  await until(() => a.held().length === 4);
  a.busy.add(2);
  const b = group.join("b");
  await untilShared([a, b], () => b.held().length === 1);
  assert.deepEqual([a.held(), b.held()], [[0, 1, 2], [3]]);
  assert.deepEqual([a.member.takes(1), a.member.takes(2)], [true, false]);
  a.busy.delete(2);
  await untilShared([a, b], () => b.held().length === 2);
  assert.deepEqual(
    [a.held(), b.held()],
    [
      [0, 1],
      [2, 3],
    ],
  );
});

test("a member that leaves keeps what is in hand till its end, and the others have the rest before", async (t) => {
  const group = await startGroup(t);
  const [a, b] = [group.join("a"), group.join("b")];
  await untilShared([a, b], () => a.held().length === 2 && b.held().length === 2);
  const [kept = -1] = a.held();
  a.busy.add(kept);
  await a.leave();
  await untilShared([a, b], () => b.held().length === 3);
  assert.deepEqual(a.held(), [kept]);
  a.busy.clear();
  await untilShared([a, b], () => b.held().length === 4);
  await a.stop();
});

test("more replicas than shards stand by, and one of them takes the seat that becomes free", async (t) => {
  const group = await startGroup(t);
  const a = group.join("a", { shards: 1 });
  await until(() => a.held().length === 1);
  const b = group.join("b", { shards: 1 });
  await until(() => phases(b).includes("standby"));
  await a.stop();
  await until(() => b.held().length === 1);
});

test("an outage longer than the Lease suspends every member, and moves no shard where all come back", async (t) => {
  const group = await startGroup(t);
  const [a, b] = [group.join("a"), group.join("b")];
  await untilShared([a, b], () => a.held().length === 2 && b.held().length === 2);
  const before = [a.held(), b.held()];
  const seats = () => group.client.get(LEASE, { namespace: NAMESPACE, name: "group-shards" });
  const version = (await seats())?.metadata.resourceVersion;
  group.link.cut();
  await until(() => phases(a).includes("lost") && phases(b).includes("lost"));
  assert.deepEqual([a.held(), b.held()], [[], []]);
  await new Promise((resolve) => setTimeout(resolve, 1500)); // beyond the duration: there is no event for it
  group.link.mend();
  await untilShared([a, b], () => a.held().length === 2 && b.held().length === 2);
  assert.deepEqual([a.held(), b.held()], before);
  assert.equal((await seats())?.metadata.resourceVersion, version);
});

test("a seat that somebody deletes ends its tenure, and the replica comes back under a new one", async (t) => {
  const group = await startGroup(t);
  const [a, b] = [group.join("a"), group.join("b")];
  await untilShared([a, b], () => a.held().length === 2 && b.held().length === 2);
  await group.client.delete(LEASE, { namespace: NAMESPACE, name: "group-0" });
  await until(() => phases(a).includes("lost") || phases(b).includes("lost"));
  await untilShared([a, b], () => a.held().length === 2 && b.held().length === 2);
});

test("another --shards is told and has no effect while replicas differ, and comes into use when all agree", async (t) => {
  const group = await startGroup(t);
  const old = group.join("old");
  await until(() => old.held().length === 4);
  const fresh = group.join("fresh", { shards: 6 });
  await untilShared([old, fresh], () => old.held().length === 2 && fresh.held().length === 2);
  assert.deepEqual([fresh.member.count, fresh.member.configured.sort()], [4, [4, 6]]);
  await old.stop();
  await untilShared([fresh], () => fresh.member.count === 6 && fresh.held().length === 6);
  assert.deepEqual(fresh.member.configured, [6]);
});

test("a process that stood still sees at once that it holds nothing, and goes on when nobody has put it out", async (t) => {
  const group = await startGroup(t);
  const a = group.join("a");
  await until(() => a.held().length === 4);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500); // as in a SIGSTOP; the others still wait
  assert.deepEqual([a.held(), a.member.held], [[], 0]);
  await until(() => a.held().length === 4);
});
