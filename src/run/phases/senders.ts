import type { RoomsOrder } from "../../engine/worker-protocol.ts";
import type { RoomGroup } from "../../plan/plan.ts";
import { createRandom, shuffle } from "../../plan/random.ts";

/** Who speaks in each room, the same choice for every contender that opened the same connections. */
export function chooseSenders(
  alive: readonly number[],
  group: RoomGroup,
  sendersPerRoom: number,
  seed: number,
  lastSeqs: ReadonlyMap<number, number>,
): Omit<RoomsOrder, "sends"> {
  const members = Array.from({ length: group.count }, (): number[] => []);
  for (const connection of alive) members[connection % group.count]?.push(connection);
  const random = createRandom(seed);
  const senders = members.map((room) => shuffle(random, room).slice(0, sendersPerRoom));
  return {
    group,
    senders,
    lastSeqs: senders.map((room) => room.map((sender) => lastSeqs.get(sender) ?? 0)),
    members: members.map(({ length }) => length),
  };
}
