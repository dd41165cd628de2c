import { SafeHtml } from "../values.ts";
import type { GoFunction } from "./function.ts";

/** The function that stops escaping: templates may call it only where {@link CompileOptions.allowSafeHtml} says so. */
export const SAFE_HTML = "safeHtml";

/** What an author is told who calls it elsewhere. */
export const SAFE_HTML_REFUSED =
  "safeHtml is not allowed: it puts values into a mail unescaped, which only an administrator can allow, with courier serve --allow-safe-html";

/** Alertmanager's `safeHtml`: HTML that is not escaped in HTML; in text there is nothing to mark. */
export const safeHtmlFunctions: Record<string, GoFunction> = {
  [SAFE_HTML]: {
    parameters: ["string"],
    call: ([text], { mode }) => (mode === "html" ? new SafeHtml(String(text)) : text),
  },
};
