// The pages import the proxy's own ../TCPSocket.mjs at run time; these are its types.
export * from "../dist/TCPSocket.mjs";
