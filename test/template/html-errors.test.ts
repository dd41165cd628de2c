import assert from "node:assert/strict";
import { test } from "node:test";
import { compileTemplate, TemplateError } from "../../src/template/index.ts";

function goMessage(source: string): string {
  try {
    compileTemplate(source, { name: "t", mode: "html" });
  } catch (error) {
    if (error instanceof TemplateError && error.stage === "escape") return error.goMessage;
    throw error;
  }
  throw new Error("nothing failed");
}

const MISPLACED = 'predefined escaper "html" disallowed in template';

test("of several errors html/template's one is reported: the last that needs no context", () => {
  const broken = "<a =>";
  const messages: [source: string, message: RegExp][] = [
    [`${broken}{{.a}}`, /expected space, attr name, or end of tag/],
    [`${broken}\n{{.a | html | print}}`, new RegExp(`^html/template:t:2:\\d+: ${MISPLACED}$`)],
    [`${broken}\n{{template "gone"}}`, /^html\/template:t:2:\d+: no such template "gone"$/],
    [`${broken}{{template "one"}}{{.a | html | print}}`, new RegExp(`${MISPLACED}$`)],
    [`${broken}{{if .a}}{{template "one"}}{{else}}{{template "two"}}{{end}}`, /no such template "one"$/],
    [`{{if .a}}${broken}{{else}}{{template "two"}}{{end}}`, /expected space, attr name, or end of tag/],
    [`{{define "d"}}{{template "one"}}{{template "d"}}{{end}}${broken}{{template "d"}}`, /no such template "one"$/],
    [`{{range .a}}${broken}{{end}}{{template "one"}}`, /no such template "one"$/],
  ];
  for (const [source, message] of messages) assert.match(goMessage(source), message, source);
});

test("an escaper in the wrong place is reported before the place's own fault", () => {
  assert.match(goMessage(`<a href="/{{if .q}}?{{end}}{{.a | html | print}}">`), new RegExp(`${MISPLACED}$`));
});

test("a value where none may stand is reported whatever comes behind it", () => {
  assert.match(goMessage(`<script>{{.a}}</script>{{template "gone"}}`), /stands inside <script>/);
});
