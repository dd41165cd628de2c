import { toAsciiDomain } from "./recipient.ts";

/**
 * `example.com` (that domain alone) or `*.example.com` (every domain below it, at any depth, not itself), in lower case
 * and A-labels as {@link parseRecipient} gives domains; undefined when `text` is neither.
 */
export function parseDomainPattern(text: string): string | undefined {
  const [, wildcard = "", name = ""] = /^(\*\.)?(.*?)\.?$/.exec(text.trim()) ?? [];
  const domain = toAsciiDomain(name);
  return domain === undefined ? undefined : `${wildcard}${domain}`;
}

/** Whether `domain`, in lower case and A-labels, is one that a pattern names. */
export function matchesDomain(domain: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.startsWith("*.") ? domain.endsWith(pattern.slice(1)) : domain === pattern,
  );
}
