/** What an SMTP reply says beyond its three digits: pure, from its codes (RFC 3463 and the registry of RFC 5248). */

/** A refusal as far as its meaning goes. */
export interface Reply {
  /** The three digits. */
  responseCode: number;
  /** `5.1.1`; absent where the server gave none, or one that contradicts the three digits. */
  enhanced?: string;
  /** The command it answers, in nodemailer's words: `MAIL FROM`, `RCPT TO`, `DATA`, … */
  command?: string;
}

/**
 * The enhanced status code of a reply. One of another class than the reply code is none: the digits decide what a client
 * does (RFC 5321 §4.2), the class has to repeat them (RFC 2034 §4), and a server that contradicts itself says nothing.
 */
export function enhancedCodeOf(response: string): string | undefined {
  const [, replyClass, code] = /^(\d)\d\d[ -](([245])\.\d{1,3}\.\d{1,3})(?![\d.])/.exec(response) ?? [];
  return code?.[0] === replyClass ? code : undefined;
}

/** Whether the server has had enough recipients for one transaction, and will take this one in another. */
export function isTooManyRecipients({ responseCode, enhanced, command }: Reply): boolean {
  if (command !== "RCPT TO") return false;
  // RFC 5321 §4.5.3.1.10: 552 is how servers of RFC 821 say 452.
  return (responseCode === 452 || responseCode === 552) && (enhanced === undefined || enhanced.endsWith(".5.3"));
}

/** Rates, congestion, "not accepting": what a server says of the connection rather than of the mail. */
const CROWDED = new Set(["4.3.2", "4.4.5", "4.7.0", "4.7.28"]);

/** Whether the server wants less of us, rather than not this mail. At RCPT TO the same codes speak of the recipient. */
export function asksForLess({ responseCode, enhanced = "", command }: Reply): boolean {
  return responseCode === 421 || (responseCode < 500 && command !== "RCPT TO" && CROWDED.has(enhanced));
}

/** RFC 6647 §5 has 4.7.1 for greylisting; the postgrey of many Postfix servers has 4.2.0 and only says it. */
const GREYLISTED = /\bgr[ae]y-?list/i;

/**
 * Whether the same mail is expected later: greylisted, or over a rate. The text decides nothing but how soon it is tried
 * again.
 */
export function asksToComeLater({ responseCode, enhanced = "" }: Reply, response: string): boolean {
  return responseCode < 500 && (enhanced.startsWith("4.7.") || GREYLISTED.test(response));
}

/** Codes of RCPT TO, and of later commands, that are about the sender's address (RFC 3463 §3.2, RFC 7505). */
const ABOUT_SENDER = new Set(["5.1.7", "5.1.8", "5.1.9", "5.7.27", "5.7.60", "5.2.252"]);

/** Whether it is our sender address that is refused; many servers check it only when the first recipient is named. */
export function isAboutSender({ enhanced = "", command }: Reply): boolean {
  return command === "MAIL FROM" ? !isAboutSize({ enhanced }) : ABOUT_SENDER.has(enhanced);
}

/** Whether the mail is too large for the server or the mailbox. */
export function isAboutSize({ enhanced }: Pick<Reply, "enhanced">): boolean {
  return enhanced === "5.2.3" || enhanced === "5.3.4";
}

/** What a recipient's refusal means and who can mend it; by subject and detail of the enhanced code. */
const RECIPIENT_REMEDIES: [codes: RegExp, remedy: string][] = [
  [/^\d\.1\.(?:0|1|2|3|6|10)$/, "check the destination in the subscription"],
  [/^\d\.2\.1$/, "the mailbox is disabled: its owner, or another destination, can help"],
  [/^\d\.2\.2$/, "the mailbox is full: its owner has to make room"],
  [/^\d\.7\./, "its policy forbids this mail: whoever runs the server can allow it"],
];

/** What to do about a refused recipient; undefined where the code tells nothing. */
export function recipientRemedy({ enhanced = "" }: Pick<Reply, "enhanced">): string | undefined {
  return RECIPIENT_REMEDIES.find(([codes]) => codes.test(enhanced))?.[1];
}
