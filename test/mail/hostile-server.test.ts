/** A server that means harm: all of it is bounded in time and memory, and nothing of it reaches a terminal or a status. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { suite, type TestContext, test } from "node:test";
import { createSmtpMailer, type SmtpMailerOptions } from "../../src/mail/smtp-mailer.ts";
import { draftWith, serverAt } from "./drafts.ts";

/** What the server does with a command; a text is its reply. */
type Behaviour = (command: string, socket: Socket) => string | undefined;

const FINE: Behaviour = (command) => {
  if (command.startsWith("EHLO")) return "250-hostile\r\n250 AUTH PLAIN\r\n";
  if (command.startsWith("AUTH")) return "235 Welcome\r\n";
  return command.startsWith("DATA") ? "354 Go on\r\n" : "250 Ok\r\n";
};

/** Listens on a port of its own; `greet` and `answer` write whatever they like. */
async function listen(t: TestContext, answer: Behaviour, greet: (socket: Socket) => void = hello) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    let buffered = "";
    socket.on("data", (chunk) => {
      buffered += chunk;
      for (let end = buffered.indexOf("\r\n"); end >= 0; end = buffered.indexOf("\r\n")) {
        const line = buffered.slice(0, end);
        buffered = buffered.slice(end + 2);
        if (!/^(?:EHLO|AUTH|MAIL|RCPT|DATA|RSET|QUIT|\.$)/.test(line)) continue; // the mail itself
        const reply = answer(line, socket);
        if (reply !== undefined) socket.write(reply);
      }
    });
    greet(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

function hello(socket: Socket): void {
  socket.write("220 hostile\r\n");
}

/** Writes `text` for as long as the client takes it. */
function flood(socket: Socket, text: string): undefined {
  const chunk = text.repeat(Math.ceil(65_536 / text.length));
  const pump = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", pump);
  pump();
}

function at(moment: string, act: (socket: Socket) => string | undefined): Behaviour {
  return (command, socket) => (command.startsWith(moment) ? act(socket) : FINE(command, socket));
}

async function sendTo(t: TestContext, address: { host: string; port: number }, options: SmtpMailerOptions = {}) {
  const sender = createSmtpMailer(options);
  t.after(() => sender.close());
  const server = serverAt(address, { username: "courier", password: "s3cret-passw0rd" });
  const [outcome] = await sender.send(draftWith({}), server, () => {}, new AbortController().signal);
  assert.ok(outcome);
  return outcome;
}

suite("a server that sends without end is given up", () => {
  const floods: { name: string; text: string }[] = [
    { name: "lines of one reply", text: "250-and one more\r\n" },
    { name: "one line", text: "x" },
    { name: "empty lines", text: "\r\n" },
  ];
  for (const { name, text } of floods)
    for (const moment of ["greeting", "EHLO", "MAIL"])
      test(`${name} at ${moment}`, async (t) => {
        const greet = moment === "greeting" ? (socket: Socket) => flood(socket, text) : hello;
        const address = await listen(
          t,
          at(moment, (socket) => flood(socket, text)),
          greet,
        );
        const before = process.memoryUsage().rss;
        const startedMs = performance.now();
        const outcome = await sendTo(t, address, { connectTimeoutMs: 60_000 });
        assert.equal(outcome.reason, moment === "MAIL" ? "TemporaryFailure" : "ServerUnavailable", outcome.message);
        assert.match(outcome.message, /exceeds maximum allowed size|sends without end/);
        assert.ok(performance.now() - startedMs < 30_000, "long before any timeout");
        assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024, "without filling the memory");
      });

  test("byte by byte, when the mail's time is over", async (t) => {
    const drip = (socket: Socket): undefined => {
      const timer = setInterval(() => socket.write("250-"), 20);
      socket.once("close", () => clearInterval(timer));
    };
    const address = await listen(t, at("EHLO", drip));
    const outcome = await sendTo(t, address, { sendTimeoutMs: 500, socketTimeoutMs: 60_000 });
    assert.equal(outcome.reason, "ServerUnavailable", outcome.message);
  });
});

suite("what a server says is told in one clean line", () => {
  const cases: { name: string; reply: string; told: RegExp }[] = [
    {
      name: "without colours and bells",
      reply: "550 \x1b[31mNo\x1b[0m\x07\x00 way\r\n",
      told: /: 550 \[31mNo\[0m way$/,
    },
    { name: "without other lines", reply: "550-No\r\n550-such\r\n550 user\r\n", told: /: 550-No 550-such 550 user$/ },
    { name: "without an order of its own", reply: "550 \u202eresu on\u2028x\r\n", told: /: 550 resu on x$/ },
    {
      name: "without the rest of a novel",
      reply: `550 ${"a b ".repeat(10_000)}\r\n`,
      told: /: 550 (?:a b )+(?:a b?)?…$/,
    },
    { name: "without the password", reply: "550 s3cret-passw0rd?\r\n", told: /: 550 \[hidden\]\?$/ },
    {
      name: "without the login",
      reply: `550 ${Buffer.from("\0courier\0s3cret-passw0rd").toString("base64")}\r\n`,
      told: /: 550 \[hidden\]$/,
    },
    {
      name: "without a password that a control character splits",
      reply: "550 s3cret\x07-passw0rd\r\n",
      told: /: 550 \[hidden\]$/,
    },
  ];
  for (const { name, reply, told } of cases)
    test(name, async (t) => {
      const address = await listen(
        t,
        at("RCPT", () => reply),
      );
      const outcome = await sendTo(t, address);
      assert.equal(outcome.reason, "RecipientRejected");
      assert.match(outcome.message, told);
      assert.ok(outcome.message.length < 350);
    });
});
