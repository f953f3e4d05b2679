package integration

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
)

// postgres is a server that lets everybody in and answers a query with a row that has it.
type postgres struct{ addr string }

func startPostgres(t *testing.T) *postgres {
	t.Helper()
	return &postgres{listenFor(t, servePostgres)}
}

// servePostgres speaks version 3 of its protocol: a message is a type, its size with the
// size itself, and the rest; the first one has no type.
func servePostgres(c *bufio.ReadWriter) error {
	take := func() ([]byte, error) {
		var size [4]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return nil, err
		}
		p := make([]byte, binary.BigEndian.Uint32(size[:])-4)
		_, err := io.ReadFull(c, p)
		return p, err
	}
	say := func(kind byte, p string) {
		c.WriteByte(kind)
		_ = binary.Write(c, binary.BigEndian, uint32(len(p)+4))
		c.WriteString(p)
	}
	hello, err := take()
	if err != nil {
		return err
	}
	if !strings.Contains(string(hello), "user\x00ann\x00") {
		return fmt.Errorf("the first message is %q", hello)
	}
	say('R', "\x00\x00\x00\x00") // no password is asked for
	say('Z', "I")
	for {
		if err := c.Flush(); err != nil {
			return err
		}
		kind, err := c.ReadByte()
		if err != nil {
			return err
		}
		p, err := take()
		if err != nil || kind == 'X' {
			return err
		}
		if kind != 'Q' {
			return fmt.Errorf("message of type %q", kind)
		}
		text := strings.TrimSuffix(string(p), "\x00")
		say('T', "\x00\x01question\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x19\xff\xff\xff\xff\xff\xff\x00\x00") // a column of text
		say('D', "\x00\x01"+string(binary.BigEndian.AppendUint32(nil, uint32(len(text))))+text)
		say('C', "SELECT 1\x00")
		say('Z', "I")
	}
}
