/**
 * An SMTP server that costs next to nothing and remembers when it accepted a mail for whom. Tells its parent its port,
 * and, asked, what it has accepted since it was asked before.
 */
import { type AddressInfo, createServer, type Socket } from "node:net";

/** A recipient, and the Unix time in ms at which the server took responsibility. */
export type Accepted = [address: string, atMs: number];

let accepted: Accepted[] = [];
const server = createServer(serve);
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.on("message", () => {
  process.send?.(accepted);
  accepted = [];
});
process.once("disconnect", () => process.exit(0));

function serve(socket: Socket): void {
  let buffer = "";
  let isData = false;
  let recipients: string[] = [];
  socket.on("error", () => undefined);
  socket.write("220 sink ESMTP\r\n");
  socket.setNoDelay(true).setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    buffer += chunk;
    for (;;) {
      const mark = isData ? "\r\n.\r\n" : "\r\n";
      const end = buffer.indexOf(mark);
      if (end === -1) return;
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + mark.length);
      const verb = line.slice(0, 4).toUpperCase();
      if (isData) {
        const atMs = performance.timeOrigin + performance.now();
        for (const address of recipients) accepted.push([address, atMs]);
        recipients = [];
        isData = false;
        socket.write("250 ok\r\n");
      } else if (verb === "DATA") {
        isData = true;
        socket.write("354 go on\r\n");
      } else if (verb === "QUIT") socket.end("221 bye\r\n");
      else {
        if (verb === "RCPT") recipients.push(line.slice(line.indexOf("<") + 1, line.indexOf(">")));
        socket.write("250 ok\r\n");
      }
    }
  });
}
