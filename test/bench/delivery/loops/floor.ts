/** The loop with mails that are composed already and a minimal SMTP writer: `node floor.ts KUBECONFIG SMTP-PORT` */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { composeSample, mailFor, SENDER } from "../sample-mail.ts";
import { drainLoop } from "./drain-loop.ts";

const CONNECTIONS = 10;
const FINAL_REPLY = /^\d{3} .*\r\n$/m;

const [kubeconfig = "", port = ""] = process.argv.slice(2);
const sample = await composeSample();
const free = await Promise.all(Array.from({ length: CONNECTIONS }, openSession));
const queued: ((socket: Socket) => void)[] = [];

await drainLoop(kubeconfig, async (to, name) => {
  const socket = free.pop() ?? (await new Promise<Socket>((resolve) => queued.push(resolve)));
  await command(socket, `MAIL FROM:<${SENDER}>\r\n`);
  await command(socket, `RCPT TO:<${to}>\r\n`);
  await command(socket, "DATA\r\n");
  await command(socket, `${mailFor(sample, name).raw}\r\n.\r\n`);
  const next = queued.shift();
  if (next === undefined) free.push(socket);
  else next(socket);
});

async function openSession(): Promise<Socket> {
  const socket = connect(Number(port), "127.0.0.1").setEncoding("latin1").setNoDelay(true);
  await reply(socket);
  await command(socket, "EHLO floor\r\n");
  return socket;
}

async function command(socket: Socket, line: string): Promise<void> {
  socket.write(line);
  await reply(socket);
}

async function reply(socket: Socket): Promise<void> {
  let text = "";
  while (!FINAL_REPLY.test(text)) text += (await once(socket, "data"))[0];
  if (!/^[23]/.test(text)) throw new Error(`the SMTP server answered ${text}`);
}
