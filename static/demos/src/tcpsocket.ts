// The one place that names the proxy's module. The bundler leaves the import as
// it is: seen from PREFIX/demo/page.js it is the module of the proxy that served
// the page, so that the pages always run with the proxy's own version.
export { TCPSocket, TCPSocketError } from "../TCPSocket.mjs";
export type { TransportName } from "../TCPSocket.mjs";
