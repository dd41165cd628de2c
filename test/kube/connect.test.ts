import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect as connectSocket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { connect } from "../../src/kube/connect.ts";
import type { KubeError } from "../../src/kube/kube-error.ts";
import { createAuthority } from "./certificates.ts";
import { type Exchange, json, scratch, startServer, status, writeKubeconfig } from "./scripted-server.ts";

const AUTHORITY = await createAuthority();
const OTHER_AUTHORITY = await createAuthority();
const base64 = (text: string) => Buffer.from(text).toString("base64");
const TRUSTED = { "certificate-authority-data": base64(AUTHORITY.ca) };

/** A server that tells who asks. */
async function startWhoami(t: TestContext, tls: object | undefined = AUTHORITY.server) {
  return startServer(
    t,
    ({ headers, response }) => {
      const peer = (response.socket as TLSSocket).getPeerCertificate?.();
      const { authorization, "impersonate-user": impersonates } = headers;
      json(response, { authorization, impersonates, certificate: peer?.subject?.CN });
    },
    tls,
  );
}

async function whoami(t: TestContext, cluster: object, user?: object): Promise<unknown> {
  const client = await connect({ kubeconfig: writeKubeconfig(t, cluster, user) });
  t.after(() => client.close());
  return client.raw("/whoami");
}

test("a token goes to a server whose certificate the kubeconfig's authority signed", async (t) => {
  const { url } = await startWhoami(t);
  assert.deepEqual(await whoami(t, { server: url, ...TRUSTED }, { token: "abc" }), { authorization: "Bearer abc" });
});

test("two hundred requests over TLS, eight at a time, take at most eight handshakes", async (t) => {
  const server = await startWhoami(t);
  const client = await connect({
    kubeconfig: writeKubeconfig(t, { server: server.url, ...TRUSTED }),
    maxConnections: 8,
  });
  t.after(() => client.close());
  for (let round = 0; round < 25; round += 1) {
    await Promise.all(Array.from({ length: 8 }, () => client.raw("/whoami")));
  }
  assert.ok(server.connections() <= 8, `${server.connections()} handshakes`);
});

test("a server of another authority is refused, with its address and what to check", async (t) => {
  const { url } = await startWhoami(t);
  const cluster = { server: url, "certificate-authority-data": base64(OTHER_AUTHORITY.ca) };
  await assert.rejects(whoami(t, cluster, { token: "abc" }), (error: KubeError) => {
    assert.deepEqual([error.code, error.reason], [0, "TLSFailed"]);
    assert.match(error.message, /at https:\/\/127\.0\.0\.1:\d+: TLS failed, .*; check the certificate authority/);
    return true;
  });
});

test("insecure-skip-tls-verify takes any certificate", async (t) => {
  const { url } = await startWhoami(t);
  const found = await whoami(t, { server: url, "insecure-skip-tls-verify": true }, { token: "abc" });
  assert.deepEqual(found, { authorization: "Bearer abc" });
});

test("a context without user trusts the authority all the same", async (t) => {
  const { url } = await startWhoami(t);
  const kubeconfig = writeKubeconfig(t, { server: url, ...TRUSTED });
  writeFileSync(kubeconfig, readFileSync(kubeconfig, "utf8").replace(',"user":"u"', ""));
  const client = await connect({ kubeconfig });
  t.after(() => client.close());
  assert.deepEqual(await client.raw("/whoami"), {});
});

test("a client certificate and impersonation are presented", async (t) => {
  const { url } = await startWhoami(t, { ...AUTHORITY.server, ca: AUTHORITY.ca, requestCert: true });
  const { cert, key } = AUTHORITY.client;
  const user = { "client-certificate-data": base64(cert), "client-key-data": base64(key), as: "bob" };
  assert.deepEqual(await whoami(t, { server: url, ...TRUSTED }, user), { certificate: "ann", impersonates: "bob" });
});

test("name and password are sent as basic authentication", async (t) => {
  const { url } = await startWhoami(t);
  const found = await whoami(t, { server: url, ...TRUSTED }, { username: "ann", password: "pw" });
  assert.deepEqual(found, { authorization: `Basic ${base64("ann:pw")}` });
});

test("an exec plugin is asked once for a token", async (t) => {
  const { url } = await startWhoami(t);
  const log = join(scratch(t), "log");
  const credential = JSON.stringify({ kind: "ExecCredential", status: { token: "from-plugin" } });
  const args = [
    "-e",
    `require("fs").appendFileSync(${JSON.stringify(log)}, "x"); console.log(${JSON.stringify(credential)})`,
  ];
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: process.execPath, args };
  const client = await connect({ kubeconfig: writeKubeconfig(t, { server: url, ...TRUSTED }, { exec }) });
  t.after(() => client.close());
  assert.deepEqual(await client.raw("/a"), { authorization: "Bearer from-plugin" });
  await client.raw("/b");
  assert.equal(readFileSync(log, "utf8"), "x");
});

test("an exec plugin that fails is told with its own words", async (t) => {
  const exec = { command: process.execPath, args: ["-e", 'console.error("login first"); process.exit(1)'] };
  await assert.rejects(whoami(t, { server: "https://127.0.0.1:1", ...TRUSTED }, { exec }), {
    code: 0,
    reason: "CredentialsUnavailable",
    message: "Cannot get credentials for https://127.0.0.1:1: login first; check the user's entry in the kubeconfig",
  });
});

test("the token of an auth provider is presented", async (t) => {
  const { url } = await startWhoami(t);
  const inAnHour = Math.floor(Date.now() / 1000) + 3600;
  const idToken = [{ alg: "RS256" }, { exp: inAnHour }, "signature"]
    .map((part) => base64(JSON.stringify(part)))
    .join(".");
  const providers = [
    { name: "oidc", config: { "id-token": idToken } },
    { name: "gcp", config: { "access-token": "gcp-token" } },
    { name: "azure", config: { "access-token": "azure-token", "expires-on": String(inAnHour) } },
  ];
  const found = providers.map((provider) => whoami(t, { server: url, ...TRUSTED }, { "auth-provider": provider }));
  const presented = [idToken, "gcp-token", "azure-token"].map((token) => ({ authorization: `Bearer ${token}` }));
  assert.deepEqual(await Promise.all(found), presented);
});

test("a token file is read again when the server refuses its token", async (t) => {
  const tokenFile = join(scratch(t), "token");
  writeFileSync(tokenFile, "first\n");
  const seen: (string | undefined)[] = [];
  let accepted = "Bearer first";
  const answer = ({ headers, response }: Exchange) => {
    seen.push(headers.authorization);
    if (headers.authorization === accepted) json(response, {});
    else json(response, status(401, "Unauthorized", "Unauthorized"), 401);
  };
  const server = await startServer(t, answer);
  const client = await connect({ kubeconfig: writeKubeconfig(t, { server: server.url }, { tokenFile }) });
  t.after(() => client.close());
  await client.raw("/a");
  writeFileSync(tokenFile, "second\n");
  accepted = "Bearer second";
  await client.raw("/b");
  assert.deepEqual(seen, ["Bearer first", "Bearer first", "Bearer second"]);
});

test("an https server is reached through the cluster's proxy-url", async (t) => {
  const { port } = await startWhoami(t);
  const tunnels: string[] = [];
  const proxy = createServer();
  proxy.on("connect", (request, socket) => {
    tunnels.push(request.url ?? "");
    const upstream = connectSocket(port, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    upstream.pipe(socket).pipe(upstream);
    socket.on("error", () => upstream.destroy());
    upstream.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  t.after(() => proxy.close());
  const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const cluster = { server: `https://127.0.0.1:${port}`, "proxy-url": proxyUrl, ...TRUSTED };
  assert.deepEqual(await whoami(t, cluster, { token: "abc" }), { authorization: "Bearer abc" });
  assert.deepEqual(tunnels, [`127.0.0.1:${port}`]);
});

test("a server address with a path keeps it", async (t) => {
  const paths: string[] = [];
  const server = await startServer(t, ({ path, response }) => {
    paths.push(path);
    json(response, {});
  });
  await whoami(t, { server: `${server.url}/k8s/clusters/c-1/` });
  assert.deepEqual(paths, ["/k8s/clusters/c-1/whoami"]);
});

test("a configuration that cannot work is refused with what to do", async (t) => {
  const server = "https://127.0.0.1:6443";
  const cases: [object, RegExp][] = [
    [{ kubeconfig: "/nowhere/kubeconfig" }, /^Cannot read the kubeconfig "\/nowhere\/kubeconfig": ENOENT/],
    [
      { kubeconfig: writeKubeconfig(t, { server }), context: "there" },
      /^Cannot use the context "there": it is not in the kubeconfig; there are "here"$/,
    ],
    [
      { kubeconfig: writeKubeconfig(t, { server: "http://example.com" }) },
      /credentials would travel readable; use https, or set insecure-skip-tls-verify/,
    ],
    [{ kubeconfig: writeKubeconfig(t, { server: "kubernetes" }) }, /it is no address like https:\/\/host:6443/],
    [
      { kubeconfig: writeKubeconfig(t, { server, "proxy-url": "socks4://user:secret@h:1" }) },
      /^Cannot use the proxy "socks4:\/\/…": proxy-url must be http, https or socks5$/,
    ],
  ];
  for (const [options, message] of cases) await assert.rejects(connect(options), { reason: "ConfigInvalid", message });
});

test("a kubeconfig that is no YAML, no object or lacks an entry is refused by name", async (t) => {
  for (const content of [
    "{",
    "",
    "- a",
    '{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"b"}}]}',
  ]) {
    const kubeconfig = join(scratch(t), "kubeconfig");
    writeFileSync(kubeconfig, content);
    await assert.rejects(connect({ kubeconfig }), { reason: "ConfigInvalid" }, content);
  }
});
