import { TCPSocket, type TCPSocketError, type TransportName } from "../tcpsocket.ts";
import type { Target } from "../targets.ts";
import type { LinkEvent } from "./ledger.ts";

/** What happens on the console's socket. */
export interface Listener {
  opened(remote: string): void;
  received(bytes: Uint8Array): void;
  /** The server sent its last byte; ours may go on. */
  ended(): void;
  over(error: TCPSocketError): void;
  link(event: LinkEvent): void;
}

/**
 * One socket used through its streams, as a program would that wants half-close
 * and back-pressure: the next chunk is pulled when the last one was shown.
 */
export class Connection {
  readonly socket: TCPSocket;
  private writer: WritableStreamDefaultWriter<BufferSource> | null = null;

  /** transport is the name of the only one to use, or "" to let the client choose. */
  constructor(target: Target, transport: string, private readonly listener: Listener) {
    this.socket = new TCPSocket(transport ? { transports: [transport as TransportName] } : {});
    // Before open(), so that not one event of the link is missed.
    this.socket.addEventListener("link", (event) => listener.link((event as CustomEvent<LinkEvent>).detail));
    this.socket.addEventListener("close", (event) => listener.over((event as Event & { cause: TCPSocketError }).cause));
    this.socket.open(target.host, target.port);
    this.socket.opened.then(
      (info) => {
        this.writer = info.writable.getWriter();
        listener.opened(`${info.remoteAddress}, port ${info.remotePort}`);
        void this.pull(info.readable.getReader());
      },
      () => undefined, // "close" told why
    );
  }

  /** Sends bytes; done when the socket took them. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.writer?.write(bytes);
  }

  /** Says that nothing more will be sent; receiving goes on. */
  async halfClose(): Promise<void> {
    await this.writer?.close();
  }

  private async pull(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) {
          this.listener.ended();
          return;
        }
        this.listener.received(value);
      }
    } catch {
      // "close" tells why
    }
  }
}
