package orbited2

import (
	"encoding/json"
	"net/url"
	"strings"

	"encke/cause"
	"encke/whitelist"
)

// maxHandshake is the longest handshake in bytes.
const maxHandshake = 4 << 10

// handshake is what a client wants of a socket.
type handshake struct {
	dest whitelist.Dest
	path string // of a WebSocket; empty: the backend speaks TCP
}

// parseHandshake reads a handshake. The error is a reason, for the client.
func parseHandshake(text []byte) (*handshake, string) {
	var fields struct {
		Hostname *string `json:"hostname"`
		Port     any     `json:"port"`
		Protocol string  `json:"protocol"`
		Path     string  `json:"path"`
	}
	if json.Unmarshal(text, &fields) != nil {
		return nil, "Invalid handshake (malformed json)"
	}
	port, ok := fields.Port.(float64)
	switch {
	case fields.Hostname == nil:
		return nil, "Invalid handshake (no hostname)"
	case !ok || port != float64(uint16(port)):
		return nil, "Invalid 'port' argument: it is a number in 1-65535"
	}
	dest, err := whitelist.ParseDest(*fields.Hostname, uint64(port))
	if err != nil {
		return nil, "Invalid hostname or port"
	}
	h := &handshake{dest: dest}
	switch {
	case strings.HasPrefix(fields.Protocol, "ws"):
		if h.path = fields.Path; h.path == "" {
			h.path = "/"
		}
		if !validPath(h.path) {
			return nil, "Invalid path"
		}
	case fields.Protocol != "tcp" && fields.Protocol != "":
		return nil, "Invalid protocol"
	}
	return h, ""
}

// validPath reports whether a request can name it.
func validPath(path string) bool {
	u, err := url.ParseRequestURI(path)
	return err == nil && u.Host == "" && strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//")
}

// reason is what a client is told of a cause. Its own name is enough for most.
func reason(why *cause.Error) string {
	switch why.Code {
	case cause.Closed:
		return ""
	case cause.Denied:
		return "Unauthorized remote destination"
	case cause.TimedOut:
		return "connection timed out"
	}
	return why.Code.String()
}
