import { connect, listen, type Socket } from "bun";
import type { Stage } from "./fleet.ts";

interface Line {
  readonly url: string;
  /** What is said on it from now on gets lost, and nobody is told. */
  cut(): void;
  mend(): void;
}

interface Ends {
  other: Socket<Ends> | null;
  readonly early: Buffer[];
}

/** A way to a bus on loopback. @param answersLateMs what comes back over it is that late */
export function startLine(stage: Stage, bus: string, answersLateMs = 0): Line {
  let isCut = false;
  const pass = (socket: Socket<Ends>, data: Buffer) => {
    if (isCut) return;
    if (socket.data.other === null) socket.data.early.push(Buffer.from(data));
    else socket.data.other.write(data);
  };
  const passLate = (socket: Socket<Ends>, data: Buffer) => {
    // The buffer is the socket's again at once.
    const own = Buffer.from(data);
    setTimeout(() => pass(socket, own), answersLateMs);
  };
  const close = ({ data }: Socket<Ends>) => void data.other?.end();
  const line = listen<Ends>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (near) => {
        near.data = { other: null, early: [] };
        void connect<Ends>({
          hostname: "127.0.0.1",
          port: Number(new URL(bus).port),
          socket: {
            open: (far) => {
              far.data = { other: near, early: [] };
              for (const data of near.data.early) far.write(data);
              near.data.other = far;
            },
            data: pass,
            close,
          },
        });
      },
      data: answersLateMs === 0 ? pass : passLate,
      close,
    },
  });
  stage.onEnd(() => line.stop(true));
  return {
    url: `nats://127.0.0.1:${line.port}`,
    cut: () => {
      isCut = true;
    },
    mend: () => {
      isCut = false;
    },
  };
}
