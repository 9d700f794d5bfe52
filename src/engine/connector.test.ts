import { expect, test } from "bun:test";
import type { Connection } from "./connection.ts";
import { Connector } from "./connector.ts";

const us = 1000;

/** Connections that only note that they were begun; the test says what becomes of them. */
class Attempts {
  readonly begun: number[] = [];
  readonly expired: number[] = [];
  readonly connections: Connection[];
  readonly connector: Connector;
  nowUs = 0;

  constructor(count: number) {
    this.connections = Array.from({ length: count }, (_, place) => {
      const attempt = {
        place,
        times: null as { startUs: number } | null,
        open: () => {
          this.begun.push(place);
          attempt.times = { startUs: this.nowUs };
        },
        expire: () => {
          this.expired.push(place);
          this.fail(place);
        },
      };
      return attempt as unknown as Connection;
    });
    this.connector = new Connector({
      connections: this.connections,
      sourceAddresses: [],
      timeoutMs: 1,
      epochUs: 0,
      clockUs: () => this.nowUs,
      speaksTls: false,
    });
  }

  open(place: number): void {
    const connection = this.connections[place] as Connection;
    this.connector.noteOpened({
      times: { startUs: 0, tcpUs: 1, tlsUs: 1, upgradeUs: 2, joinUs: 3 },
    } as Connection);
    Object.assign(connection, { times: null });
  }

  fail(place: number): void {
    Object.assign(this.connections[place] as Connection, { times: null });
    this.connector.noteFailed({ kind: "timeout", stage: "tcp" });
  }
}

test("the next is begun whenever one is open or has failed, never more at once than asked for", async () => {
  const attempts = new Attempts(5);
  const running = attempts.connector.run(2, () => {});
  expect(attempts.begun).toEqual([0, 1]);
  attempts.open(1);
  expect(attempts.begun).toEqual([0, 1, 2]);
  attempts.fail(0);
  attempts.open(2);
  expect(attempts.begun).toEqual([0, 1, 2, 3, 4]);
  attempts.open(4);
  attempts.open(3);
  expect(await running).toMatchObject({ attempted: 5, opened: 4, failed: 1, notAttempted: 0 });
});

test("what takes too long is given up, and the rest goes on", async () => {
  const attempts = new Attempts(3);
  const running = attempts.connector.run(1, () => {});
  attempts.nowUs = 2 * us;
  while (attempts.begun.length < 2) await Bun.sleep(5);
  expect(attempts.expired).toEqual([0]);
  attempts.open(1);
  attempts.open(2);
  expect(await running).toMatchObject({ opened: 2, failed: 1 });
});

test("stopped, it begins nothing more and waits for nobody", async () => {
  const attempts = new Attempts(10);
  const running = attempts.connector.run(3, () => {});
  attempts.open(1);
  attempts.connector.stop();
  expect(await running).toMatchObject({ attempted: 4, opened: 1, failed: 3, notAttempted: 6 });
  expect(attempts.expired).toEqual([0, 2, 3]);
});
