import type { ContenderFacts } from "../result/schema.ts";

/** What is said over the WebSocket: the contract's chat, or Phoenix Channels. */
export type ProtocolName = ContenderFacts["protocol"];

/** What every server of a protocol answers at once, whoever asks. */
export interface Greeting {
  readonly text: string;
  isAnswer(text: string): boolean;
}

/** An echo of the contract, or the heartbeat of Phoenix Channels, which needs no topic. */
export function greet(protocol: ProtocolName, name: string): Greeting {
  if (protocol === "phoenix") {
    const reply = `[null,"${name}","phoenix","phx_reply",`;
    return {
      text: `[null,"${name}","phoenix","heartbeat",{}]`,
      isAnswer: (answer) => answer.startsWith(reply) && answer.includes('"status":"ok"'),
    };
  }
  const text = `{"type":"echo","from":"${name}","seq":1,"at":0,"text":"are you there?"}`;
  return { text, isAnswer: (answer) => answer === text };
}

/** Where the WebSockets of a protocol are opened. Phoenix is told the version of its serializer. */
export function webSocketPath(protocol: ProtocolName): string {
  return protocol === "phoenix" ? "/ws?vsn=2.0.0" : "/ws";
}
