import type { Attribute, Element } from "./context.ts";

/** Attributes that hold an address, by name. */
const URLS: ReadonlySet<string> = new Set(
  "action archive background cite classid codebase data formaction href icon longdesc manifest poster profile src usemap xmlns".split(
    " ",
  ),
);

/** Attributes whose names would otherwise look like an address or a handler, but hold plain text. */
const PLAIN: ReadonlySet<string> = new Set(["srcdoc", "srclang"]);

/** What an attribute holds: by its name, without `data-` or a name space before it. */
export function attributeKind(fullName: string, element: Element): Attribute {
  if (element === "Script" && fullName === "type") return "ScriptType";
  if (element === "Meta" && fullName === "content") return "MetaContent";
  if (fullName.startsWith("xmlns:")) return "URL";
  const colon = fullName.indexOf(":");
  const name = fullName.startsWith("data-") ? fullName.slice(5) : fullName.slice(colon + 1);
  if (URLS.has(name)) return "URL";
  if (PLAIN.has(name)) return "None";
  if (name === "style") return "Style";
  if (name === "srcset") return "Srcset";
  if (name.startsWith("on")) return "Script";
  return /src|uri|url/.test(name) ? "URL" : "None";
}

const SCRIPT_TYPES: ReadonlySet<string> = new Set(
  (
    "application/ecmascript application/javascript application/json application/ld+json application/x-ecmascript application/x-javascript " +
    "module text/ecmascript text/javascript text/javascript1.0 text/javascript1.1 text/javascript1.2 text/javascript1.3 text/javascript1.4 " +
    "text/javascript1.5 text/jscript text/livescript text/x-ecmascript text/x-javascript"
  ).split(" "),
);

/** Whether a script of this type holds JavaScript or JSON. */
export function isScriptType(type: string): boolean {
  const [mime = ""] = type.split(";");
  return mime === "" || SCRIPT_TYPES.has(mime.trim().toLowerCase());
}
