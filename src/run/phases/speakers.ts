import type { RoomsOrder } from "../../engine/worker-protocol.ts";
import type { RoomGroup } from "../../plan/plan.ts";
import { createRandom, shuffle } from "../../plan/random.ts";

/** Who speaks in each room, the same choice for every contender that opened the same connections. */
export function chooseSpeakers(
  alive: readonly number[],
  group: RoomGroup,
  speakersPerRoom: number,
  seed: number,
  lastSeqs: ReadonlyMap<number, number>,
): Omit<RoomsOrder, "sends"> {
  const members = Array.from({ length: group.count }, (): number[] => []);
  for (const connection of alive) members[connection % group.count]?.push(connection);
  const random = createRandom(seed);
  const speakers = members.map((room) => shuffle(random, room).slice(0, speakersPerRoom));
  return {
    group,
    speakers,
    lastSeqs: speakers.map((room) => room.map((speaker) => lastSeqs.get(speaker) ?? 0)),
    members: members.map(({ length }) => length),
  };
}
