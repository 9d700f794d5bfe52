import { expect, test } from "bun:test";
import { EventQueue } from "./event-queue.ts";

test("a slow reader gets everything in order, and the end", async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  const read: number[] = [];
  const reading = (async () => {
    for await (const event of queue) {
      read.push(event);
      await Bun.sleep(1);
    }
  })();
  queue.push(2);
  await Bun.sleep(10);
  queue.push(3);
  queue.push(4);
  queue.end();
  await reading;
  expect(read).toEqual([1, 2, 3, 4]);
});

test("a queue that has ended ends at once", async () => {
  const queue = new EventQueue<number>();
  queue.end();
  for await (const event of queue) throw new Error(`there is no ${event}`);
});
