package servers

import (
	"strconv"
	"testing"
)

// Redis starts a Redis server with the password pw1 that stores nothing on disk.
func Redis(t testing.TB) *Server {
	return daemon{
		command: "redis-server",
		apt:     "redis-server",
		prepare: func(dir string, port int) (args, env []string, files map[string]string) {
			return []string{
				"--port", strconv.Itoa(port), "--bind", "127.0.0.1",
				"--save", "", "--appendonly", "no", "--dir", dir, "--requirepass", "pw1",
			}, nil, nil
		},
	}.start(t)
}
