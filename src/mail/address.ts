import addressparser from "nodemailer/lib/addressparser";
import { parseRecipient } from "../resources/recipient.ts";

/** One sender or recipient: `address` is ready for an SMTP command, `name` may be empty. */
export interface Mailbox {
  address: string;
  name: string;
}

/** The one mailbox in `text`, with or without a display name; undefined when it is none or more than one. */
export function parseMailbox(text: string): Mailbox | undefined {
  const [mailbox, ...more] = addressparser(text, { flatten: true });
  if (mailbox === undefined || more.length > 0 || text.includes(";")) return undefined;
  const parsed = parseRecipient(mailbox.address);
  return "refusal" in parsed ? undefined : { address: parsed.address, name: mailbox.name };
}
