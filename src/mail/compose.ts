import type { Draft } from "../delivery/ports.ts";
import type { Mailbox } from "./address.ts";
import type { EmailServer } from "./email-server.ts";
import {
  cleanSubject,
  encodeText,
  formatDate,
  formatHeader,
  formatMailbox,
  languageTag,
  messageIdOf,
  threadRootOf,
} from "./headers.ts";
import { type Alternatives, alternativesOf, escapeText } from "./html.ts";
import { boundaryOf, multipartAlternative, textPart } from "./mime.ts";

/** A mail as it goes over the wire: the SMTP envelope and the whole RFC 5322 message. */
export interface Mail {
  /** With angle brackets. */
  messageId: string;
  envelope: { from: string; to: string[]; size: number };
  content: Buffer;
}

/** What composing takes of an {@link EmailServer}. */
export type Sender = Pick<EmailServer, "from" | "displayNames">;

/**
 * Composes a rendered task into a mail: pure, the same input gives the same bytes. `draft.to` are addresses that
 * {@link parseRecipient} has accepted. Who else gets a mail is not shown to anybody: see docs/decisions/040.
 * @throws MailBodyError when the body is beyond what is made into a mail
 */
export function composeMail(draft: Draft, sender: Sender, date: Date): Mail {
  const from: Mailbox = { address: sender.from.address, name: displayName(sender, draft.language) };
  const domain = from.address.slice(from.address.lastIndexOf("@") + 1);
  const id = messageIdOf(draft.message.uid, draft.taskId, domain);
  const subject = cleanSubject(draft.subject);
  const body = alternativesOf(draft.body, draft.bodyType);
  const language = languageTag(draft.language);
  const boundary = boundaryOf(id);
  const content = [
    formatHeader("From", formatMailbox(from)),
    `To: ${draft.to.length === 1 ? draft.to[0] : "undisclosed-recipients:;"}`,
    formatHeader("Subject", encodeText(subject)),
    `Date: ${formatDate(date)}`,
    `Message-ID: <${id}>`,
    ...threadHeaders(draft.source, domain),
    "Auto-Submitted: auto-generated",
    "X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply",
    ...(language === undefined ? [] : [`Content-Language: ${language}`]),
    "MIME-Version: 1.0",
    `Content-Type: multipart/alternative;\r\n boundary="${boundary}"`,
    "",
    multipartAlternative(boundary, [
      textPart("plain", body.text),
      textPart("html", wrapDocument(body, subject, language)),
    ]),
  ].join("\r\n");
  const bytes = Buffer.from(content);
  return {
    messageId: `<${id}>`,
    envelope: { from: from.address, to: draft.to, size: bytes.length },
    content: bytes,
  };
}

/** Mail about one source object refers to one root that was never sent, so readers show it as one thread. */
function threadHeaders(source: string | undefined, domain: string): string[] {
  if (source === undefined || source === "") return [];
  const root = threadRootOf(source, domain);
  return [`In-Reply-To: <${root}>`, `References: <${root}>`];
}

function displayName({ from, displayNames }: Sender, language: string | undefined): string {
  const { en, zh } = displayNames;
  const [first, second] = /^zh\b/i.test((language ?? "").replaceAll("_", "-")) ? [zh, en] : [en, zh];
  return first || second || from.name;
}

/**
 * The HTML document around a body. No colour is forced on it, so it follows the reader's light or dark theme; a table
 * with its styles inline, because that is what Outlook and Gmail keep. A template's own style sheet stands in the head,
 * the only place where Gmail reads it.
 */
function wrapDocument({ html, css }: Alternatives, title: string, language: string | undefined): string {
  return `<!doctype html>
<html lang="${escapeText(language ?? "en")}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeText(title)}</title>
${css === undefined ? "" : `<style>\n${css}</style>\n`}</head>
<body style="margin:0;padding:0">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"
 border="0" style="max-width:640px">
<tr><td style="padding:24px;font-family:-apple-system,'Segoe UI',Roboto,
'Helvetica Neue',Arial,'PingFang SC','Microsoft YaHei',sans-serif;
font-size:15px;line-height:1.6">
${html}
</td></tr>
</table>
</body>
</html>
`;
}
