import { spawn } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { type Manifest, readManifests } from "../author/manifest.ts";
import { readFiles } from "../author/manifest-files.ts";
import { type Preview, type PreviewResult, previewMails } from "../author/preview.ts";
import { formatFinding } from "../author/report.ts";
import { readBodyChange } from "./render-data.ts";
import { readLiveManifests } from "./render-live.ts";
import type { RenderOptions } from "./render-options.ts";
import { endOnClosedPipe, faint, STDERR } from "./render-streams.ts";
import { watchPaths } from "./render-watch.ts";
import { print, styled } from "./terminal.ts";

/** What a message tells is for its recipients: a file that is made here is for its owner alone. */
const PRIVATE = { mode: 0o600 };

/** `courier render`: mails as they would be sent, without sending any. Returns the exit code. */
export async function render(command: Command): Promise<number> {
  endOnClosedPipe();
  const options = command.opts<RenderOptions>();
  const objects = command.args;
  if (filesOf(options).length === 0 && objects.length === 0) {
    console.error("Nothing to render: give files with -f, or name objects of the cluster as nft/NAME or nfm/NAME");
    return 1;
  }
  const opened = createOpener();
  const once = () => renderOnce(objects, options, opened);
  const code = await once();
  if (options.watch !== true) return code;
  return watchUntilInterrupted(options, once);
}

async function watchUntilInterrupted(options: RenderOptions, once: () => Promise<number>): Promise<number> {
  const paths = [...filesOf(options), ...(options.data === undefined ? [] : [options.data])].filter(
    (path) => path !== "-",
  );
  if (paths.length === 0) {
    console.error("Nothing to watch: --watch follows files, give them with -f");
    return 1;
  }
  const over = new AbortController();
  const stop = () => over.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    const again = async () => {
      print();
      print(styled("dim", `──── ${new Date().toTimeString().slice(0, 8)} ────`));
      await once();
    };
    const watching = watchPaths(paths, again, over.signal);
    console.error(faint("Watching for changes; Ctrl-C ends it."));
    await watching;
    return 0;
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

async function renderOnce(objects: string[], options: RenderOptions, open: Opener): Promise<number> {
  try {
    const { previews, findings } = await collectPreviews(objects, options);
    for (const finding of findings) console.error(formatFinding(finding, STDERR));
    for (const preview of previews) printPreview(preview);
    const hasErrors = findings.some(({ severity }) => severity === "error");
    if (previews.length === 0 && !hasErrors)
      console.error("Nothing to render: there is no NotificationTemplate or NotificationMessage among the files");
    if (options.eml !== undefined) await writeMails(previews, options.eml);
    if (options.open === true) await open(previews);
    return hasErrors || previews.length === 0 ? 1 : 0;
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
}

async function collectPreviews(objects: string[], options: RenderOptions): Promise<PreviewResult> {
  const { sources, unreadable } = await readFiles(filesOf(options));
  const [problem] = unreadable;
  if (problem !== undefined) throw new Error(`Cannot read "${problem.path}": ${problem.message}`);
  const body = await readBodyChange(options.data, options.set ?? []);
  if ("finding" in body) return { previews: [], findings: [body.finding] };
  const read = sources.map(readManifests);
  const local = read.flatMap(({ manifests }) => manifests);
  const live: Manifest[] = objects.length === 0 ? [] : await readLiveManifests(objects, local, options);
  const { previews, findings } = previewMails([...local, ...live], { changeBody: body.change, date: new Date() });
  return { previews, findings: [...read.flatMap((file) => file.findings), ...findings] };
}

function printPreview({ template, message, subject, recipients, text, html, unset }: Preview): void {
  const origin = [template, ...(message === undefined ? [] : [message])];
  print(styled("dim", `# ${origin.map(({ title, source }) => `${title} (${source.path})`).join(", ")}`));
  print(`${styled("bold", "Subject:")} ${subject}`);
  if (message !== undefined) print(`${styled("bold", "To:")} ${recipients.join(", ")}`);
  print(styled("dim", `${"─".repeat(4)} text ${"─".repeat(50)}`));
  print(text.replace(/\n$/, ""));
  print(styled("dim", `${"─".repeat(4)} html ${"─".repeat(50)}`));
  print(html.replace(/\n$/, ""));
  print();
  if (unset.length > 0) console.error(faint(explainUnset(unset, template.identity.name)));
}

function explainUnset(unset: string[], name: string): string {
  const inObject = unset.find((path) => path.indexOf(".", 1) > 0);
  const flags = [...(inObject === undefined ? [] : [`--set ${inObject.slice(1)}=…`]), "--data body.yaml"];
  return `hint: no value here for variables of ${name}: ${unset.join(" ")}
      give them with ${flags.join(", ")} or -f message.yaml`;
}

async function writeMails(previews: readonly Preview[], name: string | true): Promise<void> {
  if (typeof name === "string" && previews.length > 1)
    throw new Error(`Cannot write ${previews.length} mails to "${name}": leave the name out, and each gets its own`);
  const names = uniqueNames(previews);
  for (const [index, { mail }] of previews.entries()) {
    const file = typeof name === "string" ? name : `${names[index]}.eml`;
    await writeFile(file, mail.content, PRIVATE);
    console.error(`Wrote ${file}`);
  }
}

/** A file name for each mail: its template's, with the message's where one template makes several mails. */
function uniqueNames(previews: readonly Preview[]): string[] {
  const taken = new Map<string, number>();
  return previews.map(({ template, message }) => {
    const several = previews.filter((other) => other.template === template).length > 1;
    const parts = [template.identity.name, ...(several && message !== undefined ? [message.identity.name] : [])];
    const name = parts.join(".").replace(/[^\w.-]/g, "_") || "mail";
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  });
}

function filesOf({ filename }: RenderOptions): string[] {
  return filename ?? [];
}

type Opener = (previews: readonly Preview[]) => Promise<void>;

/** Writes the HTML documents to one temporary directory, and opens each the first time. */
function createOpener(): Opener {
  let directory: string | undefined;
  const shown = new Set<string>();
  return async (previews) => {
    directory ??= await mkdtemp(join(tmpdir(), "courier-render-"));
    const names = uniqueNames(previews);
    for (const [index, { html }] of previews.entries()) {
      const file = join(directory, `${names[index]}.html`);
      await writeFile(file, html, PRIVATE);
      if (shown.has(file)) continue;
      shown.add(file);
      console.error(`Opening ${file}`);
      await openFile(file);
    }
  };
}

const OPENERS: Partial<Record<NodeJS.Platform, string[]>> = { darwin: ["open"], win32: ["cmd", "/c", "start", ""] };

/** Hands a file to the desktop; one without a browser is told how to go on. */
async function openFile(file: string): Promise<void> {
  const [program = "", ...args] = OPENERS[process.platform] ?? ["xdg-open"];
  const child = spawn(program, [...args, file], { stdio: "ignore", detached: true });
  await new Promise<void>((resolve) => {
    child.once("spawn", resolve);
    child.once("error", () => {
      console.error(`Cannot open it: there is no ${program} here; open the file in a browser`);
      resolve();
    });
  });
  child.unref();
}
