/** The ES module. */
import { loadedFrom } from "./base.ts";
import { TCPSocketError } from "./error.ts";
import { TCPSocket } from "./tcpsocket.ts";

loadedFrom(import.meta.url);

export { TCPSocket, TCPSocketError };
export default TCPSocket;
