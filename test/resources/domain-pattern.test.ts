import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { matchesDomain, parseDomainPattern } from "../../src/resources/domain-pattern.ts";

suite("a pattern is read as DNS would", () => {
  const cases: [text: string, pattern: string | undefined][] = [
    ["example.com", "example.com"],
    [" Example.COM. ", "example.com"],
    ["*.Example.com", "*.example.com"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["*.例子.测试", "*.xn--fsqu00a.xn--0zwm56d"],
    ["*", undefined],
    ["*.", undefined],
    ["", undefined],
    ["@example.com", undefined],
    ["ann@example.com", undefined],
    ["*example.com", undefined],
    ["a.*.example.com", undefined],
    ["10.0.0.1", undefined],
    ["exa mple.com", undefined],
  ];
  for (const [text, pattern] of cases)
    test(`${JSON.stringify(text)} → ${pattern}`, () => assert.equal(parseDomainPattern(text), pattern));
});

test("a name is that domain alone, a star every domain below it", () => {
  const patterns = ["example.com", "*.example.org"];
  for (const [domain, allowed] of [
    ["example.com", true],
    ["mail.example.com", false],
    ["badexample.com", false],
    ["example.com.evil.net", false],
    ["a.example.org", true],
    ["a.b.example.org", true],
    ["example.org", false],
    ["badexample.org", false],
  ] as const) {
    assert.equal(matchesDomain(domain, patterns), allowed, domain);
  }
});
