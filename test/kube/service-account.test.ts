import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { RestClient } from "../../src/kube/rest-client.ts";
import { findServiceAccount } from "../../src/kube/service-account.ts";
import { Session } from "../../src/kube/session.ts";
import { Transport } from "../../src/kube/transport.ts";
import { createAuthority } from "./certificates.ts";
import { json, scratch, startServer, status } from "./scripted-server.ts";

const AUTHORITY = await createAuthority();

/** A pod's files, and what the kubelet sets in its environment. */
function podOf(t: TestContext, port = 443) {
  const directory = scratch(t);
  const write = (name: string, content: string) => writeFileSync(join(directory, name), content);
  write("token", "first\n");
  write("ca.crt", AUTHORITY.ca);
  return { directory, write, env: { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: `${port}` } };
}

test("in a pod the ServiceAccount's token goes to the server that its authority signed, and a renewed one after a refusal", async (t) => {
  let accepted = "Bearer first";
  const { port } = await startServer(
    t,
    ({ headers, response }) => {
      if (headers.authorization === accepted) json(response, { token: headers.authorization });
      else json(response, status(401, "Unauthorized", "Unauthorized"), 401);
    },
    AUTHORITY.server,
  );
  const { directory, write, env } = podOf(t, port);
  const access = findServiceAccount(env, directory);
  assert.ok(access);
  const session = new Session(access, 4);
  const client = new RestClient(new Transport(access.server, session), session, JSON.parse);
  t.after(() => client.close());
  assert.deepEqual(await client.raw("/whoami"), { token: "Bearer first" });
  write("token", "second\n");
  accepted = "Bearer second";
  assert.deepEqual(await client.raw("/whoami"), { token: "Bearer second" });
});

test("outside a pod there is no ServiceAccount", (t) => {
  const { directory, env } = podOf(t);
  assert.equal(findServiceAccount({}, directory), undefined);
  assert.equal(findServiceAccount(env, join(directory, "nowhere")), undefined);
});

test("an address of IPv6 stands in brackets", (t) => {
  const { directory } = podOf(t);
  const env = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" };
  assert.equal(findServiceAccount(env, directory)?.server, "https://[fd00::1]:6443");
});

test("a ServiceAccount's file that cannot be read is told by its name", async (t) => {
  const { directory, env } = podOf(t);
  rmSync(join(directory, "ca.crt"));
  const access = findServiceAccount(env, directory);
  await assert.rejects(async () => access?.authenticate(), {
    reason: "CredentialsUnavailable",
    message: /^Cannot read the ServiceAccount's file ".*ca\.crt": ENOENT.*; check automountServiceAccountToken$/,
  });
});
