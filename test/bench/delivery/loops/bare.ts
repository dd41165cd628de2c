/** The loop with nodemailer's pool as it comes: `node bare.ts KUBECONFIG SMTP-PORT` */
import { createTransport } from "nodemailer";
import { composeSample, mailFor, SENDER } from "../sample-mail.ts";
import { drainLoop } from "./drain-loop.ts";

const [kubeconfig = "", port = ""] = process.argv.slice(2);
const sample = await composeSample();
const pool = createTransport({
  pool: true,
  host: "127.0.0.1",
  port: Number(port),
  maxConnections: 10,
  maxMessages: Number.POSITIVE_INFINITY,
});
await drainLoop(kubeconfig, async (to, name) => {
  const { subject, text, html, headers } = mailFor(sample, name);
  await pool.sendMail({ from: SENDER, to, subject, text, html, headers, messageId: `<${name}@example.com>` });
});
