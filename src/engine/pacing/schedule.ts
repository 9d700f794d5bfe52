import { createRandom, shuffle } from "../../plan/random.ts";
import { isOwn, placeOf } from "../places.ts";
import type { PhaseOrder, RoomsOrder, WorkerSetup } from "../worker-protocol.ts";

/** Which of its connections a worker sends on, and when: pure arithmetic, so that nothing is stored per message. */
export interface Schedule {
  readonly count: number;
  /** The sending connection, by its place among the worker's own. */
  sender(send: number): number;
  /** When, in microseconds after the phase's start; 0 in a burst. */
  offsetUs(send: number): number;
}

/**
 * Every living connection in turn, in an order that the seed shuffles. The workers' sends are spread evenly
 * over the phase and shifted against each other, so that together they keep the rate evenly too.
 */
export function echoSchedule(alive: readonly number[], order: PhaseOrder, setup: WorkerSetup): Schedule {
  const turn = Int32Array.from(shuffle(createRandom(setup.seed + setup.worker), alive));
  const { echoSends: count, pattern } = order;
  const intervalUs = pattern.kind === "steady" && count > 0 ? (pattern.seconds * 1e6) / count : 0;
  const shift = setup.worker / setup.workers;
  return {
    count: turn.length === 0 ? 0 : count,
    sender: (send) => turn[send % turn.length] as number,
    offsetUs: (send) => (send + shift) * intervalUs,
  };
}

/** Send g goes to room g modulo rooms, by that room's next sender; a worker takes those whose sender it owns. */
export function senderSchedule(rooms: RoomsOrder, order: PhaseOrder, setup: WorkerSetup): Schedule {
  const { pattern } = order;
  const intervalUs = pattern.kind === "steady" && rooms.sends > 0 ? (pattern.seconds * 1e6) / rooms.sends : 0;
  const own: number[] = [];
  const places: number[] = [];
  for (let send = 0; send < rooms.sends; send += 1) {
    const senders = rooms.senders[send % rooms.group.count] ?? [];
    if (senders.length === 0) continue;
    const sender = senders[Math.floor(send / rooms.group.count) % senders.length] as number;
    if (!isOwn(setup, sender)) continue;
    own.push(send);
    places.push(placeOf(setup, sender));
  }
  const sends = Int32Array.from(own);
  const turn = Int32Array.from(places);
  return {
    count: sends.length,
    sender: (send) => turn[send] as number,
    offsetUs: (send) => (sends[send] as number) * intervalUs,
  };
}

/** Sends per room over all workers, when everyone does as planned. */
export function plannedByRoom(rooms: RoomsOrder): number[] {
  const { count } = rooms.group;
  return rooms.senders.map((senders, room) =>
    senders.length === 0 ? 0 : Math.floor(rooms.sends / count) + (room < rooms.sends % count ? 1 : 0),
  );
}
