package demo_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"

	"encke/cmd/encke/demo"
)

// exchange sends bytes and expects others, both given in hex, spaces ignored.
func exchange(t *testing.T, c net.Conn, send, want string) {
	t.Helper()
	if _, err := c.Write(unhex(t, send)); err != nil {
		t.Fatal(err)
	}
	wanted := unhex(t, want)
	got := make([]byte, len(wanted))
	if n, err := io.ReadFull(c, got); err != nil {
		t.Fatalf("sent %s, got % x and %v, want %s", send, got[:n], err, want)
	}
	if !bytes.Equal(got, wanted) {
		t.Fatalf("sent %s, got % x, want %s", send, got, want)
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// connect opens an MQTT 3.1.1 connection as the client named by one letter.
func connect(t *testing.T, to demo.Target, letter byte) net.Conn {
	t.Helper()
	c := dial(t, to)
	id := hex.EncodeToString([]byte{letter})
	// CONNECT: protocol MQTT, level 4, clean session, keep-alive 60 s; CONNACK: accepted.
	exchange(t, c, "10 0d 0004 4d515454 04 02 003c 0001 "+id, "20 02 00 00")
	return c
}

// topic is the name of a topic as MQTT writes it: two bytes of length, then text.
func topic(name string) string {
	return hex.EncodeToString(append([]byte{byte(len(name) >> 8), byte(len(name))}, name...))
}

func TestBrokerPassesMessagesOn(t *testing.T) {
	to := start(t).Info().MQTT
	reader, writer := connect(t, to, 'r'), connect(t, to, 'w')

	name := topic("encke-demo/room/x") // 19 bytes with its length
	exchange(t, reader, "82 16 0001 "+name+" 00", "90 03 0001 00")
	exchange(t, writer, "32 18 "+name+" 0007 61 62 63", "40 02 0007")
	exchange(t, reader, "", "30 16 "+name+" 61 62 63")
}

func TestBrokerKeepsRetainedMessages(t *testing.T) {
	to := start(t).Info().MQTT
	name := topic("encke-demo/who/a1")
	writer := connect(t, to, 'w')
	exchange(t, writer, "33 18 "+name+" 0007 61 62 63", "40 02 0007")

	reader := connect(t, to, 'r')
	exchange(t, reader, "82 16 0001 "+name+" 00", "90 03 0001 00 31 16 "+name+" 61 62 63")
}

func TestBrokerRefusesOtherTopics(t *testing.T) {
	c := connect(t, start(t).Info().MQTT, 'r')
	for _, name := range []string{"$SYS/broker/ver", "someone-elses/x"} {
		// SUBACK with 0x80: failure.
		exchange(t, c, "82 14 0001 "+topic(name)+" 00", "90 03 0001 80")
	}
}
