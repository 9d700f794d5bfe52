import { sendSignal } from "./processes.ts";
import { type Server, type ServerExit, type ServerOptions, type ServerStop, startServer } from "./server.ts";

/** A contender whose process may be killed or die, and be started again on the same port. */
export class RestartableServer implements Server {
  readonly #options: ServerOptions;
  #process: Server;

  private constructor(options: ServerOptions, process: Server) {
    this.#options = options;
    this.#process = process;
  }

  /** @throws as `startServer` */
  static async start(options: ServerOptions): Promise<RestartableServer> {
    return new RestartableServer(options, await startServer(options));
  }

  get host(): string {
    return this.#process.host;
  }

  get port(): number {
    return this.#process.port;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get readyMs(): number {
    return this.#process.readyMs;
  }

  /** Of the process that is the server now. */
  get exited(): Promise<ServerExit> {
    return this.#process.exited;
  }

  get exit(): ServerExit | null {
    return this.#process.exit;
  }

  output(): string {
    return this.#process.output();
  }

  stop(): Promise<ServerStop> {
    return this.#process.stop();
  }

  /** SIGKILL to the process and its group, as the kernel does when memory runs out. */
  async kill(): Promise<void> {
    sendSignal(-this.pid, "SIGKILL");
    await this.exited;
  }

  /**
   * Starts it anew, with nothing of the old process left.
   *
   * @throws as `startServer`; it then stays ended
   */
  async restart(): Promise<void> {
    const { port } = this;
    await this.#process.stop();
    this.#process = await startServer({ ...this.#options, port });
  }
}
