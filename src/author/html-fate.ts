/** What mails are sent with: the sanitizer itself is asked, so that there is one list only. */
import { alternativesOf } from "../mail/html.ts";

/** What becomes of an element. */
export type Fate = "kept" | "removed" | "unknown";

const fates = new Map<string, Fate>();
/** Names beyond this are not remembered: they come out of files. */
const MAX_REMEMBERED = 1000;

/** Whether a mail keeps an element, loses it, or takes it for a text. */
export function fateOf(name: string): Fate {
  const known = fates.get(name);
  if (known !== undefined) return known;
  const fate = probeElement(name);
  if (fates.size < MAX_REMEMBERED) fates.set(name, fate);
  return fate;
}

function probeElement(name: string): Fate {
  if (name === "style") return "kept"; // moves to the head of the document
  const probe = alternativesOf(`<${name}>x</${name}>`, "Html").html;
  if (probe.startsWith("&lt;")) return "unknown";
  return probe.startsWith(`<${name}`) ? "kept" : "removed";
}

/** The value that an attribute of an element keeps; undefined when the attribute goes. */
export function keptValue(element: string, name: string, value: string): string | undefined {
  const quoted = value.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  const probe = alternativesOf(`<${element} ${name}="${quoted}">x</${element}>`, "Html").html;
  const start = `<${element} ${name}`;
  if (!probe.startsWith(start)) return undefined;
  const rest = probe.slice(start.length);
  if (rest.startsWith('="')) return rest.slice(2, rest.indexOf('"', 2));
  return /^[\s/>]/.test(rest) ? "" : undefined;
}
