import "reflect-metadata";
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import test from "node:test";
import { cryptoProvider, SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";
import { functionNames, isFunction } from "../../../src/generator/jmespath/functions/index.ts";
import { interpret } from "../../../src/generator/jmespath/interpret.ts";
import { parseExpression } from "../../../src/generator/jmespath/parse.ts";
import type { Json } from "../../../src/resources/object.ts";
import { makeCertificate } from "../../support/certificates.ts";

const NOW = new Date("2026-11-22T10:00:00Z");
const evaluate = (expression: string, document: Json = {}) =>
  interpret(parseExpression(expression, isFunction), document, { now: () => NOW, spent: { steps: 0 } });

/** Expression → value. */
const VALUES: [string, Json][] = [
  ["abs(`-3`)", 3],
  ["avg(`[1, 2]`)", 1.5],
  ["ceil(`1.2`)", 2],
  ["floor(`1.8`)", 1],
  ["contains('abc', 'b')", true],
  ["contains(`[1, \"a\"]`, 'a')", true],
  ["contains('abc', `1`)", false],
  ["starts_with('abc', 'ab')", true],
  ["ends_with('abc', 'bc')", true],
  ["join('-', ['a', 'b'])", "a-b"],
  ['keys(`{"a": 1}`)', ["a"]],
  ['values(`{"a": 1}`)', [1]],
  ["length('añ😀')", 3],
  ['length(`{"a": 1}`)', 1],
  ['map(&a, `[{"a": 1}, {"b": 2}]`)', [1, null]],
  ["max(`[1, 3, 2]`)", 3],
  ["min(['b', 'a'])", "a"],
  ["max(`[]`)", null],
  ['max_by(`[{"a": 1}, {"a": 2}]`, &a)', { a: 2 }],
  ['min_by(`[{"a": 1}, {"a": 2}]`, &a)', { a: 1 }],
  ['merge(`{"a": 1}`, `{"a": 2, "b": 3}`)', { a: 2, b: 3 }],
  ["not_null(`null`, 'x')", "x"],
  ["reverse('abc')", "cba"],
  ["reverse(`[1, 2]`)", [2, 1]],
  ["sort(['b', 'a'])", ["a", "b"]],
  ['sort_by(`[{"a": 2}, {"a": 1}]`, &a)', [{ a: 1 }, { a: 2 }]],
  ["to_array('a')", ["a"]],
  ["to_number('1.5')", 1.5],
  ["to_number('x')", null],
  ['to_string(`{"b": 1, "a": [true]}`)', '{"a":[true],"b":1}'],
  ["to_string('x')", "x"],
  ["type(`[]`)", "array"],
  ["type(`null`)", "null"],
  ["compare('a', 'b')", -1],
  ["compare('b', 'a')", 1],
  ["compare('a', 'a')", 0],
  ["equal_fold('Go', 'GO')", true],
  ["replace('aaa', 'a', 'b', `2`)", "bba"],
  ["replace('aaa', 'a', 'b', `-1`)", "bbb"],
  ["replace('ab', '', '-', `-1`)", "-a-b-"],
  ["replace_all('aba', 'a', 'x')", "xbx"],
  ["to_upper('a')", "A"],
  ["to_lower('A')", "a"],
  ["trim('--a-b--', '-')", "a-b"],
  ["trim('¡¡¡Hello!!!', '!¡')", "Hello"],
  ["trim_prefix('prefix-a', 'prefix-')", "a"],
  ["split('a,b', ',')", ["a", "b"]],
  ["split('ab', '')", ["a", "b"]],
  ["truncate('añ😀b', `3`)", "añ😀"],
  ["truncate('abc', `-1`)", ""],
  ["regex_match('^[a-z]+\\d$', 'abc1')", true],
  ["regex_match('[0-9]', `5`)", true],
  ["regex_match('^a$', 'ba')", false],
  ["regex_replace_all('a(\\d)', 'a1 a2', '<$1>')", "<1> <2>"],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Go's own ${name}
  ["regex_replace_all('(?P<n>\\d)', 'a1', '${n}${n}$$')", "a11$"],
  ["regex_replace_all_literal('a(\\d)', 'a1 a2', '$1')", "$1 $1"],
  ["pattern_match('prod-*', 'prod-eu')", true],
  ["pattern_match('12?', `123`)", true],
  ['label_match(`{"a": "1"}`, `{"a": "1", "b": "2"}`)', true],
  ['label_match(`{"a": "1", "b": "2"}`, `{"a": "1"}`)', false],
  ["lookup(`{\"a\": 1}`, 'a')", 1],
  ["lookup(`{\"a\": 1}`, 'toString')", null],
  ["lookup(`[5, 6]`, `1`)", 6],
  [
    "items(`{\"b\": 2, \"a\": 1}`, 'k', 'v')",
    [
      { k: "a", v: 1 },
      { k: "b", v: 2 },
    ],
  ],
  ["items(`[\"x\"]`, 'i', 'v')", [{ i: 0, v: "x" }]],
  ["object_from_lists(['a', 'b'], `[1]`)", { a: 1, b: null }],
  ["base64_decode('aGVsbG8=')", "hello"],
  ["base64_encode('hello')", "aGVsbG8="],
  ["md5('hello')", "5d41402abc4b2a76b9719d911017c592"],
  ["sha1('hello')", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"],
  ["sha256('hello')", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"],
  ["parse_json('{\"a\": [1]}')", { a: [1] }],
  ["parse_yaml('a: [1, yes]')", { a: [1, "yes"] }],
  ["to_boolean('True')", true],
  ["add(`1`, `2.5`)", 3.5],
  ["add('1Gi', '512Mi')", "1536Mi"],
  ["add('100m', '1')", "1100m"],
  ["add('1h', '45s')", "1h0m45s"],
  ["subtract('12Mi', '4Mi')", "8Mi"],
  ["subtract('1h', '2h')", "-1h0m0s"],
  ["multiply('2Mi', `3`)", "6Mi"],
  ["multiply(`2`, '10s')", "20s"],
  ["divide(`7`, `2`)", 3.5],
  ["divide('12Mi', '4Mi')", 3],
  ["divide('1h', `2`)", "30m0s"],
  ["modulo(`7`, `4`)", 3],
  ["modulo('25s', '10s')", "5s"],
  ["sum(`[1, 2, 3]`)", 6],
  ["sum(['1Ki', '2Ki'])", "3Ki"],
  ["round(`2.345`, `2`)", 2.35],
  ["round(`-1.5`, `0`)", -2],
  ["time_now()", "2026-11-22T10:00:00Z"],
  ["time_now_utc()", "2026-11-22T10:00:00Z"],
  ["time_since('', '2026-11-22T09:00:00Z', '')", "1h0m0s"],
  ["time_since('2006-01-02', '2026-01-01', '2026-01-03')", "48h0m0s"],
  ["time_add('2026-11-22T10:00:00+02:00', '90m')", "2026-11-22T11:30:00+02:00"],
  ["time_parse('2006-01-02', '2026-11-22')", "2026-11-22T00:00:00Z"],
  ["time_parse('02 Jan 06 15:04 -0700', '22 Nov 26 10:00 +0530')", "2026-11-22T10:00:00+05:30"],
  ["time_parse('Mon Jan _2 3:04:05PM 2006', 'Sun Nov  2 1:02:03PM 2025')", "2025-11-02T13:02:03Z"],
  ["time_parse('1', '1702691171')", "2023-12-16T01:46:11Z"],
  ["time_diff('2026-01-01T00:00:00Z', '2026-01-01T01:02:00Z')", "1h2m0s"],
  ["time_utc('2026-11-22T10:00:00+02:00')", "2026-11-22T08:00:00Z"],
  ["time_before('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z')", true],
  ["time_after('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z')", false],
  ["time_between('2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z')", true],
  ["time_between('2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z')", false],
  ["time_truncate('2026-11-22T10:47:31Z', '1h')", "2026-11-22T10:00:00Z"],
  ["time_to_cron('2026-11-22T10:47:31Z')", "47 10 22 11 0"],
  ["path_canonicalize('///var//log/../run/.//x/')", "/var/run/x"],
  ["path_canonicalize('a/..')", "."],
  ["path_canonicalize('/../a')", "/a"],
  ["path_canonicalize('../a')", "../a"],
  ["path_canonicalize('/')", "/"],
  ["path_canonicalize('')", ""],
  ["image_normalize('nginx')", "docker.io/nginx:latest"],
  ["image_normalize('team/app:1.2')", "docker.io/team/app:1.2"],
  ["image_normalize('ghcr.io/team/app')", "ghcr.io/team/app:latest"],
  ["image_normalize('localhost/app')", "localhost/app:latest"],
  ["image_normalize('registry:5000/app:v1')", "registry:5000/app:v1"],
  [`image_normalize('nginx:1.2@sha256:${"ab".repeat(32)}')`, `docker.io/nginx@sha256:${"ab".repeat(32)}`],
  ["semver_compare('1.2.3', '1.2.3')", true],
  ["semver_compare('1.2.3', '==1.2.4')", false],
  ["semver_compare('1.2.3', '>=1.2.0 <2.0.0')", true],
  ["semver_compare('2.0.0', '>1.0.0 <2.0.0')", false],
  ["semver_compare('2.0.0', '<=2.0.0')", true],
  ["semver_compare('4.1.0', '<1.0.0 || >= 3.0.0 !4.2.1')", true],
  ["semver_compare('4.2.1', '<1.0.0 || >=3.0.0 !=4.2.1')", false],
  ["semver_compare('1.10.0', '>1.9.0')", true],
  ["semver_compare('2.0.0-rc.1', '<2.0.0')", true],
  ["semver_compare('1.2.9', '1.2.x')", true],
  ["semver_compare('1.3.0', '=1.2.x')", false],
  ["semver_compare('1.9.0', '1.x')", true],
  ["semver_compare('1.9.0', '>1.x')", false],
  ["semver_compare('2.0.0', '>1.x')", true],
  ["semver_compare('1.9.0', '<=1.x')", true],
  ["semver_compare('1.2.0', '>=1.2.x')", true],
  ["semver_compare('1.1.9', '<1.2.x')", true],
  ["semver_compare('1.3.0', '!=1.2.x')", false],
];

for (const [expression, value] of VALUES) {
  test(`${expression} is ${JSON.stringify(value)}`, () => assert.deepEqual(evaluate(expression), value));
}

/** Expression → what its error says. */
const ERRORS: [string, RegExp][] = [
  ["to_upper(`1`)", /to_upper\(\) takes string as argument 1 and was given number/],
  ["to_upper(missing)", /was given null/],
  ["to_upper('a', 'b')", /takes 1 arguments and was given 2/],
  ["join('-', `[1]`)", /takes a list of strings and was given a list of number/],
  ['sort(`[1, "a"]`)', /compares strings or numbers/],
  ["regex_match('(', 'a')", /cannot use the pattern/],
  ["regex_match('(?=a)', 'a')", /cannot use the pattern/],
  ["regex_match('((a{100}){100}){100}', 'a')", /cannot use the pattern/],
  ["base64_decode('***')", /not base64/],
  ["parse_json('{')", /cannot read its text/],
  ["to_boolean('yes')", /takes "true" or "false"/],
  ["add('1h', '30m')", /a duration and a quantity/],
  ["add('1Gi', '1h')", /cannot be applied to a quantity and a duration/],
  ["add('1Gi', `1`)", /cannot be applied to a quantity and a number/],
  ["add('x', `1`)", /takes numbers, quantities or durations/],
  ["divide(`1`, `0`)", /by zero/],
  ["modulo(`1.5`, `1`)", /whole numbers/],
  ["sum(`[]`)", /at least one item/],
  ["time_parse('2006-01-02', '2026-02-30')", /cannot read/],
  ["time_utc('yesterday')", /takes a time such as/],
  ["image_normalize('Not/An Image')", /takes the name of an image/],
  ["image_normalize('app@sha256:12')", /takes the name of an image/],
  ["semver_compare('v1.2.3', '>1.0.0')", /takes a version such as 1\.2\.3/],
  ["semver_compare('1.2', '>1.0.0')", /takes a version/],
  ["semver_compare('01.2.3', '>1.0.0')", /takes a version/],
  ["semver_compare('1.2.3', '~1.0.0')", /takes a version/],
  ["semver_compare('1.2.3', '|| >1.0.0')", /takes a range/],
  ["semver_compare('1.2.3', '')", /takes a range/],
  ["x509_decode('no certificate')", /cannot read its certificate/],
  ["x509_decode('-----BEGIN CERTIFICATE REQUEST-----')", /was given a certificate request/],
  ["is_external_url('http://example.com')", /looks names up in DNS, which courier's generator does not do/],
  ["random('(?=a)')", /cannot use the pattern/],
  ["random('((((a{0}){999}){999}){999})')", /more than 100000 steps/],
  [
    "replace_all(replace_all(replace_all('aaaaaaaaaa', 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'), 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'), 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')",
    /longer than 1048576/,
  ],
];

for (const [expression, error] of ERRORS) {
  test(`${expression.slice(0, 80)} is refused`, () => assert.throws(() => evaluate(expression), error));
}

test("x509_decode() gives a certificate's fields under Go's names", async () => {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", publicExponent: new Uint8Array([1, 0, 1]) };
  const keys = await webcrypto.subtle.generateKey({ ...algorithm, modulusLength: 2_048 }, true, ["sign", "verify"]);
  cryptoProvider.set(webcrypto);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: "1267",
    name: "C=DE, O=Acme, OU=One, OU=Two, CN=app.example.com",
    notBefore: new Date("2026-01-02T03:04:05Z"),
    notAfter: new Date("2027-01-02T03:04:05Z"),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: "dns", value: "app.example.com" },
        { type: "dns", value: "www.example.com" },
        { type: "ip", value: "192.0.2.1" },
      ]),
    ],
  });
  const pem = certificate.toString("pem");
  assert.deepEqual(evaluate("x509_decode(@).[Subject.CommonName, Issuer.OrganizationalUnit, Subject.Country]", pem), [
    "app.example.com",
    ["One", "Two"],
    ["DE"],
  ]);
  assert.deepEqual(
    evaluate("x509_decode(@).[NotBefore, NotAfter, SerialNumber, IsCA, DNSNames, IPAddresses, URIs]", pem),
    [
      ...["2026-01-02T03:04:05Z", "2027-01-02T03:04:05Z", 0x1267, false],
      ...[["app.example.com", "www.example.com"], ["192.0.2.1"], null],
    ],
  );
  assert.equal(evaluate("x509_decode(@).PublicKey.E", pem), 65_537);
  assert.match(String(evaluate("x509_decode(@).PublicKey.N", pem)), /^\d{600,}$/);
  const { cert } = await makeCertificate({ dns: ["a"] });
  assert.throws(() => evaluate("x509_decode(@)", cert), /RSA keys and this has a key of type EC/);
});

test("random() makes a text of the pattern's shape, another one each time", () => {
  const made = () => String(evaluate("random('^[a-z]{8}-(?:x|y)\\d+[^0-9]?$')"));
  for (let time = 0; time < 50; time += 1) assert.match(made(), /^[a-z]{8}-(?:x|y)\d+[^0-9]?$/);
  assert.notEqual(made(), made());
});

test("a pattern that takes other engines exponential time takes milliseconds", () => {
  const started = performance.now();
  assert.equal(evaluate("regex_match('^(a+)+$', @)", `${"a".repeat(50_000)}b`), false);
  assert.ok(performance.now() - started < 2_000);
});

/** Kyverno's functions beside JMESPath's own, but is_external_url. */
const KYVERNO =
  `compare equal_fold replace replace_all to_upper to_lower trim trim_prefix split regex_match regex_replace_all
  regex_replace_all_literal pattern_match label_match to_boolean add subtract multiply divide modulo sum round base64_decode
  base64_encode path_canonicalize truncate semver_compare parse_json parse_yaml lookup items object_from_lists random sha256
  sha1 md5 time_now time_now_utc time_since time_add time_parse time_diff time_utc time_before time_after time_between
  time_truncate time_to_cron x509_decode image_normalize`.split(/\s+/);

test("all of Kyverno's functions are there but the one that asks DNS", () =>
  assert.deepEqual(
    KYVERNO.filter((name) => !isFunction(name)),
    [],
  ));

test("every function has a row in these tables", () => {
  const text = [...VALUES, ...ERRORS].map(([expression]) => expression).join(" ");
  assert.deepEqual(
    functionNames().filter((name) => !text.includes(`${name}(`)),
    [],
  );
});
