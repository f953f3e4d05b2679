// Package websockify serves the interface of websockify: a WebSocket is a TCP
// connection to a target that the operator named, in binary messages. noVNC and clients of
// MQTT, STOMP and others that take a WebSocket work with it. It is one of the protocols of
// package legacy.
//
//	encke --allow 10.0.0.5:5900 --allow 10.0.0.9:1883 --legacy websockify \
//	      --target desk=10.0.0.5:5900 --target broker=10.0.0.9:1883
//
//	/websockify?token=desk   as websockify with a token plugin
//	/websockify/desk         a path for each target
//	/websockify              the target without a name (--target HOST:PORT), if there is one
//
// --target-file names a file with a target on each line, as the token files of websockify
// have: "desk: 10.0.0.5:5900". Behind the port there may be, in both, the subprotocols of
// the target: "broker=10.0.0.9:1883;mqtt,mqttv3.1".
//
// A target that no rule of --allow names is an error at start. The rules are asked again
// at each connection, for the addresses too.
//
// Subprotocol: the first of the target's that the client offers; else the first of binary,
// mqtt, mqttv3.1, v12.stomp, v11.stomp and v10.stomp that it offers; else none. It changes
// nothing of what is carried. A client that offers nothing but base64 is refused (400).
//
// What differs from the original:
//
//   - There is no command line for one target, no --unix-target, no --ssl-target, no
//     recording, no wrapped program, and no web server (--web): see --static of the proxy.
//   - Token plugins are files only, not directories of them. A file that has changed is read
//     again for the next connection; while something is wrong in it, what it had stays and
//     the log names the line.
//   - Authentication plugins are not there; pages are told apart by --origin.
//   - Names have letters, digits and "-._~".
//   - Why a connection failed is in the close code: 4000 and the number of the cause. A token
//     that names nothing has the same as a target that is not allowed, 4001. The end of a
//     connection is 1000.
//   - Text messages are refused (1003), as there. A STOMP client that sends text has an
//     option for binary messages.
//   - Pings are sent after --heartbeat of silence.
package websockify
