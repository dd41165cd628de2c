import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseEmailServer } from "../../src/mail/email-server.ts";
import { EmailServerError } from "../../src/mail/secret-values.ts";
import { makeCertificate } from "../support/certificates.ts";
import { secretOf } from "./drafts.ts";

const COMPLETE = {
  host: "smtp.example.com",
  port: "465",
  from: "user@example.com",
  username: "courier",
  password: "s3cret-passw0rd",
  sslEnabled: "true",
  insecureSkipVerify: "false",
  displayNameEn: "Platform notifications",
  displayNameZh: "平台通知",
};

test("a complete Secret is read, without the newlines that echo left", () => {
  assert.deepEqual(parseEmailServer(secretOf(COMPLETE, "42")), {
    version: "5ec2e7/42",
    host: "smtp.example.com",
    port: 465,
    from: { address: "user@example.com", name: "" },
    auth: { type: "password", username: "courier", password: "s3cret-passw0rd" },
    tls: "implicit",
    insecureSkipVerify: false,
    displayNames: { en: "Platform notifications", zh: "平台通知" },
  });
});

test("host, port and from are enough: no login, STARTTLS where offered, certificates verified", () => {
  const { host, port, from } = COMPLETE;
  const server = parseEmailServer(secretOf({ host, port, from }));
  assert.equal(server.auth, undefined);
  assert.equal(server.tls, "starttls");
  assert.equal(server.insecureSkipVerify, false);
});

test("empty credentials mean no login", () => {
  assert.equal(parseEmailServer(secretOf({ ...COMPLETE, username: "", password: "" })).auth, undefined);
});

test("a from with a display name gives both", () => {
  const { from } = parseEmailServer(secretOf({ ...COMPLETE, from: "Ann <ann@bücher.example>" }));
  assert.deepEqual(from, { name: "Ann", address: "ann@xn--bcher-kva.example" });
});

suite("a wrong value is refused with its key, what was found and what to put", () => {
  const cases: { key: keyof typeof COMPLETE; value: string; message: RegExp }[] = [
    { key: "host", value: "", message: /^data\.host is missing: put the name or address of the SMTP server/ },
    { key: "host", value: "smtp://mail", message: /^data\.host "smtp:\/\/mail" is no host name: .* without scheme/ },
    { key: "host", value: "smtp.example.com:25", message: /is no host name/ },
    { key: "host", value: "a b", message: /is no host name/ },
    { key: "host", value: "smtp.example.com\r\nRSET", message: /^data\.host has a line break or control character/ },
    { key: "port", value: "", message: /^data\.port is missing: put a number from 1 to 65535/ },
    { key: "port", value: "abc", message: /^data\.port "abc" is no port: put a number from 1 to 65535/ },
    { key: "port", value: "0", message: /"0" is no port/ },
    { key: "port", value: "70000", message: /"70000" is no port/ },
    { key: "port", value: "2.5e1", message: /is no port/ },
    { key: "from", value: "", message: /^data\.from is missing/ },
    { key: "from", value: "nobody", message: /^data\.from "nobody" is not one e-mail address/ },
    { key: "from", value: "a@example.com, b@example.com", message: /is not one e-mail address/ },
    { key: "from", value: "a@example.com\nBcc: b@example.com", message: /^data\.from has a line break/ },
    { key: "from", value: "jürgen@example.com", message: /letters beyond ASCII before the @/ },
    { key: "sslEnabled", value: "yes", message: /^data\.sslEnabled "yes" is neither true nor false/ },
    { key: "insecureSkipVerify", value: "2", message: /^data\.insecureSkipVerify "2" is neither true nor false/ },
    { key: "username", value: "", message: /^data\.username is missing while data\.password is set/ },
    { key: "password", value: "", message: /^data\.password is missing while data\.username is set/ },
    { key: "password", value: "s3cret\u0000x", message: /^data\.password has a line break or control character/ },
  ];
  for (const { key, value, message } of cases)
    test(`${key} ${JSON.stringify(value)}`, () => {
      assert.throws(
        () => parseEmailServer(secretOf({ ...COMPLETE, [key]: value })),
        (error: unknown) => {
          assert.ok(error instanceof EmailServerError);
          assert.equal(error.key, key);
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /s3cret/);
          return true;
        },
      );
    });
});

const OAUTH = {
  ...{
    host: "smtp.example.com",
    port: "587",
    from: "user@example.com",
    authType: "xoauth2",
    username: "user@example.com",
  },
  ...{ tokenUrl: "https://login.example.com/token", clientId: "courier", clientSecret: "s3cret" },
};

test("a Secret with authType xoauth2 is read with its client, and its password is left alone", () => {
  const { auth } = parseEmailServer(secretOf({ ...OAUTH, scope: "a b", password: "old" }));
  const { username, tokenUrl, clientId, clientSecret } = OAUTH;
  assert.deepEqual(auth, { type: "xoauth2", username, tokenUrl, clientId, clientSecret, scope: "a b" });
  assert.equal(parseEmailServer(secretOf({ ...OAUTH, authType: "OAuth2" })).auth?.type, "xoauth2");
});

suite("a wrong key of XOAUTH2 is refused with its name and what to put", () => {
  const cases: [key: keyof typeof OAUTH, value: string, message: RegExp][] = [
    ["authType", "kerberos", /^data\.authType "kerberos" is no way to log in: put xoauth2, or leave it out/],
    ["authType", "", /^data\.authType is missing while data\.tokenUrl is set: put xoauth2$/],
    ["username", "", /^data\.username is missing while data\.authType is xoauth2: put the mailbox/],
    ["tokenUrl", "", /^data\.tokenUrl is missing while data\.authType is xoauth2/],
    ["tokenUrl", "login.example.com", /^data\.tokenUrl is no https address: put one, such as https:/],
    ["tokenUrl", "http://login.example.com/", /^data\.tokenUrl begins with http, and secrets go over https only/],
    ["tokenUrl", "https://a:s3cret@login.example.com/", /^data\.tokenUrl holds a login or a fragment/],
    ["clientId", "", /^data\.clientId is missing/],
    ["clientSecret", "", /^data\.clientSecret is missing/],
  ];
  for (const [key, value, message] of cases)
    test(`${key} ${JSON.stringify(value)}`, () => {
      assert.throws(
        () => parseEmailServer(secretOf({ ...OAUTH, [key]: value })),
        (error: EmailServerError) => {
          assert.equal(error.key, key);
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /s3cret/);
          return true;
        },
      );
    });
  test("a token may come over http from this machine", () => {
    for (const tokenUrl of ["http://localhost:8080/t", "http://127.0.0.1/t", "http://[::1]/t"])
      assert.equal(parseEmailServer(secretOf({ ...OAUTH, tokenUrl })).auth?.type, "xoauth2");
  });
});

test("ca.crt takes a bundle with comments, and nothing but certificates", async () => {
  const first = await makeCertificate({ dns: ["a.example"] });
  const second = await makeCertificate({ dns: ["b.example"] });
  const read = (text: string) => parseEmailServer(secretOf({ ...COMPLETE, "ca.crt": text })).ca;
  const bundle = `# ours\n${first.cert}\n\n# theirs\n${second.cert}`;
  assert.deepEqual(read(bundle)?.length, 2);
  assert.equal(read("")?.length, undefined);
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => read(text), { name: "EmailServerError", key: "ca.crt", message });
  refused("hello", /^data\["ca.crt"\] is no certificate: put the certificate of the CA, or several of them, in PEM$/);
  refused(`${first.cert}\n${first.key}`, /^data\["ca.crt"\] holds a PRIVATE KEY: .*, and nothing else$/);
  refused(first.cert.replace(/[A-Za-z0-9]{20}/, "AAAAAAAAAAAAAAAAAAAA"), /has a broken certificate, number 1/);
});

test("a value that is not base64 or not UTF-8 is refused with its key", () => {
  const { metadata, data } = secretOf(COMPLETE);
  assert.throws(() => parseEmailServer({ metadata, data: { ...data, port: "25!" } }), /data\.port is not base64/);
  assert.throws(() => parseEmailServer({ metadata, data: { ...data, host: "/w==" } }), /data\.host is not UTF-8/);
});

test("a Secret without data misses its host", () => {
  assert.throws(() => parseEmailServer({ metadata: {} }), /data\.host is missing/);
});

test("flags are read as Go reads them", () => {
  for (const value of ["true", "TRUE", "True", "t", "1"])
    assert.equal(parseEmailServer(secretOf({ ...COMPLETE, sslEnabled: value })).tls, "implicit", value);
  for (const value of ["false", "F", "0", ""])
    assert.equal(parseEmailServer(secretOf({ ...COMPLETE, sslEnabled: value })).tls, "starttls", value);
});
