package servers

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Mosquitto starts an MQTT broker that knows the user alice with the password secret1
// and refuses everybody else.
func Mosquitto(t testing.TB) *Server {
	t.Helper()
	passwd := daemon{command: "mosquitto_passwd", apt: "mosquitto"}.find(t)
	return daemon{
		command: "mosquitto",
		apt:     "mosquitto",
		prepare: func(dir string, port int) (args, env []string, files map[string]string) {
			if out, err := exec.Command(passwd, "-c", "-b", dir+"/passwd", "alice", "secret1").CombinedOutput(); err != nil {
				t.Fatalf("mosquitto_passwd: %v\n%s", err, out)
			}
			if err := os.Chmod(dir+"/passwd", 0o600); err != nil {
				t.Fatal(err)
			}
			return []string{"-c", dir + "/mosquitto.conf"}, nil, map[string]string{
				"mosquitto.conf": fmt.Sprintf(`listener %d 127.0.0.1
allow_anonymous false
password_file %s/passwd
persistence false
log_dest stderr
`, port, dir),
			}
		},
	}.start(t)
}
