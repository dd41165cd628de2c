import assert from "node:assert/strict";
import { test } from "node:test";
import { Circuit } from "../../src/control/circuit.ts";

function circuitAt(start = 0) {
  const clock = { now: start };
  return { clock, circuit: new Circuit<string>(() => clock.now) };
}

test("nobody enters an open circuit before its time, and then one alone", () => {
  const { clock, circuit } = circuitAt();
  circuit.open(1000, "down");
  assert.equal(circuit.tryEnter(), "down");
  clock.now = 1000;
  assert.equal(circuit.tryEnter(), undefined, "the probe goes ahead");
  assert.equal(circuit.tryEnter(), "down", "the next one waits for the probe");
});

test("workers that fail together count as one failure", () => {
  const { circuit } = circuitAt();
  for (let worker = 0; worker < 64; worker++) circuit.open(1000, "down");
  assert.equal(circuit.failures, 1);
});

test("a probe that fails opens it again, one that succeeds lets everybody in", () => {
  const { clock, circuit } = circuitAt();
  circuit.open(1000, "down");
  clock.now = 1000;
  circuit.tryEnter();
  circuit.open(2000, "still down");
  assert.equal(circuit.failures, 2);
  assert.equal(circuit.probeInMs, 2000);
  clock.now = 3000;
  circuit.tryEnter();
  assert.equal(circuit.close(), true);
  assert.equal(circuit.tryEnter(), undefined);
  assert.equal(circuit.close(), false);
});

test("a probe that was broken off does not shut the circuit for ever", () => {
  const { clock, circuit } = circuitAt();
  circuit.open(1000, "down");
  clock.now = 1000;
  circuit.tryEnter();
  circuit.release();
  assert.equal(circuit.tryEnter(), undefined);
});
