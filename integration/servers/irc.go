package servers

import (
	"fmt"
	"testing"
)

// Ngircd starts an IRC server. Its nicks have at most 9 characters.
func Ngircd(t testing.TB) *Server {
	return daemon{
		command: "ngircd",
		apt:     "ngircd",
		prepare: func(dir string, port int) (args, env []string, files map[string]string) {
			return []string{"-n", "-f", dir + "/ngircd.conf"}, nil, map[string]string{
				"ngircd.conf": fmt.Sprintf(`[Global]
Name = irc.test.local
Info = test
Listen = 127.0.0.1
Ports = %d
MotdPhrase = hello
ServerUID = nobody
ServerGID = nogroup
[Limits]
MaxConnectionsIP = 0
[Options]
DNS = no
Ident = no
PAM = no
`, port),
			}
		},
	}.start(t)
}
