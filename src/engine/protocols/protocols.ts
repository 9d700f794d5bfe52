import type { ContenderFacts } from "../../result/schema.ts";
import { ChaosChat } from "./chaos-chat/chaos-chat.ts";
import { chatShape } from "./chaos-chat/chat-shape.ts";
import { smallestBytes } from "./chaos-chat/message-format.ts";
import { Phoenix, pushShape } from "./phoenix/phoenix.ts";
import type { Protocol, ProtocolOptions } from "./protocol.ts";

export function createProtocol(name: ContenderFacts["protocol"], options: ProtocolOptions): Protocol {
  return name === "phoenix" ? new Phoenix(options) : new ChaosChat(options);
}

/** The smallest message size in bytes that holds, in any protocol, what a run can say. */
export function smallestMessageBytes(connections: number, rooms: number): number {
  const shapes = [0, rooms].flatMap((room) => [chatShape(room), pushShape(room)]);
  return Math.max(...shapes.map((shape) => smallestBytes(shape, connections)));
}
