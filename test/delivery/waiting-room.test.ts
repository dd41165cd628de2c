import assert from "node:assert/strict";
import { test } from "node:test";
import { WaitingRoom } from "../../src/delivery/waiting-room.ts";

test("who waits for two things is called by the first that comes, and waits for neither any more", () => {
  const room = new WaitingRoom();
  room.park("a", ["server", "template/ns/t"]);
  room.park("b", ["template/ns/t"]);
  assert.deepEqual(room.callAll("server"), ["a"]);
  assert.equal(room.count("server"), 0);
  assert.deepEqual(room.callAll("template/ns/t"), ["b"]);
  assert.equal(room.count("template/ns/t"), 0);
});

test("who is parked anew waits for the new things alone, at the end of their lines", () => {
  const room = new WaitingRoom();
  room.park("a", ["server"]);
  room.park("b", ["server"]);
  room.park("a", ["template/ns/t", "server"]);
  assert.deepEqual(
    [room.takeFirst("server"), room.takeFirst("server"), room.takeFirst("server")],
    ["b", "a", undefined],
  );
  assert.equal(room.count("template/ns/t"), 0);
  room.park("a", ["server"]);
  room.park("a", []);
  assert.equal(room.count("server"), 0);
});

test("a call that came while a message was worked on is not missed", () => {
  const room = new WaitingRoom();
  const before = room.calls;
  room.callAll("server");
  assert.equal(room.calledSince("server", before), true);
  assert.equal(room.calledSince("server", room.calls), false);
  assert.equal(room.calledSince("template/ns/t", before), false);
});
