package servers

import (
	"fmt"
	"testing"
)

const activemqJar = "/usr/share/activemq/bin/activemq.jar"

// ActiveMQ starts a STOMP broker that takes any login.
func ActiveMQ(t testing.TB) *Server {
	return daemon{
		command: "java",
		apt:     "activemq",
		needs:   []string{activemqJar},
		prepare: func(dir string, port int) (args, env []string, files map[string]string) {
			return []string{
				"-Xmx128m", "-XX:+UseSerialGC",
				"-Dactivemq.home=/usr/share/activemq",
				"-Dactivemq.base=" + dir, "-Dactivemq.conf=" + dir, "-Dactivemq.data=" + dir + "/data",
				"-jar", activemqJar, "start",
				fmt.Sprintf("broker:(stomp://127.0.0.1:%d)?persistent=false&useJmx=false", port),
			}, nil, nil
		},
	}.start(t)
}
