package wisp

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"encke/cause"
	"encke/legacy"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	p, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPacketsThatWeSend(t *testing.T) {
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"first CONTINUE", continuePacket(0, 8), "03 00000000 08000000"},
		{"CONTINUE", continuePacket(0x01020304, 0x80), "03 04030201 80000000"},
		{"CLOSE", closePacket(0xfffffffe, 0x48), "04 feffffff 48"},
		{"INFO", (&server{}).info(), "05 00000000 02 00 05 00000000"},
		{"INFO with all", (&server{passwords: new(legacy.Reread[passwords]), motd: "hi"}).info(), "05 00000000 02 00 02 01000000 01 04 02000000 6869 05 00000000"},
	} {
		if !bytes.Equal(c.got, unhex(t, c.want)) {
			t.Errorf("%s: %x, want %s", c.name, c.got, c.want)
		}
	}
}

func TestParseConnect(t *testing.T) {
	kind, host, port, err := parseConnect(unhex(t, "01 5000 612e62"))
	if kind != streamTCP || host != "a.b" || port != 80 || err != nil {
		t.Errorf("got %d, %q, %d, %v", kind, host, port, err)
	}
	for _, short := range []string{"", "01", "0150"} {
		if _, _, _, err := parseConnect(unhex(t, short)); err == nil {
			t.Errorf("%q was accepted", short)
		}
	}
}

func TestParseInfo(t *testing.T) {
	for _, c := range []struct {
		name, packet string
		want         info
	}{
		{"none", "02 00", info{major: 2}},
		{"later version", "03 07", info{major: 3}},
		{"what wisp-js sends", "02 00 01 00000000 04 00000000", info{major: 2}},
		{"all that we know", "02 00 05 00000000 02 03000000 016162", info{major: 2, confirm: true, credentials: []byte("\x01ab")}},
		{"an empty password", "02 00 02 00000000", info{major: 2, credentials: []byte{}}},
		{"unknown ones", "02 00 f0 01000000 00 f1 00000000", info{major: 2}},
	} {
		got, err := parseInfo(unhex(t, c.packet))
		if err != nil || got.major != c.want.major || got.confirm != c.want.confirm || !bytes.Equal(got.credentials, c.want.credentials) {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
	for name, packet := range map[string]string{
		"nothing":                 "",
		"half a version":          "02",
		"half a head":             "02 00 05 0000",
		"data that is cut":        "02 00 02 03000000 6162",
		"a size without end":      "02 00 02 ffffffff 61",
		"an extension twice":      "02 00 05 00000000 05 00000000",
		"more than there will be": "02 00" + many(33),
	} {
		if got, err := parseInfo(unhex(t, packet)); err == nil {
			t.Errorf("%s: accepted as %+v", name, got)
		}
	}
}

// many is n different extensions in hex.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(hex.EncodeToString([]byte{byte(100 + i), 0, 0, 0, 0}))
	}
	return b.String()
}

func TestEveryCauseHasAReason(t *testing.T) {
	for c, reason := range reasons {
		if reason == 0 {
			t.Errorf("%v has no reason", cause.Code(c))
		}
	}
}

func TestPasswords(t *testing.T) {
	all, err := parsePasswords(strings.NewReader("# who may\n\nann:se:cret\r\nbob: x \n"))
	if err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]bool{
		"\x03annse:cret": true,
		"\x03bob x ":     true,
		"\x03bobx":       false,
		"\x03annx":       false,
		"\x03eve x ":     false,
		"\x04annse:cret": false, // "anns" and "e:cret"
		"\x03ann":        false,
		"":               false,
		"\x00":           false,
		"\xffann":        false,
	} {
		if got := all.accept([]byte(given)); got != want {
			t.Errorf("%q: accepted %t, want %t", given, got, want)
		}
	}
	for text, says := range map[string]string{
		"":                              "nobody is named",
		"# only\n":                      "nobody is named",
		"ann\n":                         "line 1: write it like NAME:PASSWORD",
		"ann:\n":                        "line 1",
		"x:y\n:x\n":                     "line 2",
		"ann:secret\nann:other\n":       "line 2: the name is there twice",
		strings.Repeat("n", 256) + ":x": "255 bytes",
	} {
		if _, err := parsePasswords(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}

// What a parser takes of a packet, put together again, is that packet.
func FuzzPacket(f *testing.F) {
	for _, s := range []string{"01 01000000 01 5000 612e62", "02 01000000 ff", "05 00000000 02 00 02 03000000 016162 05 00000000", "04", ""} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		kind, id, payload, err := parseHead(p)
		if err != nil {
			return
		}
		if again := append(appendHead(nil, kind, id), payload...); !bytes.Equal(again, p) {
			t.Errorf("%x became %x", p, again)
		}
		if kind, host, port, err := parseConnect(payload); err == nil {
			if again := append([]byte{kind, byte(port), byte(port >> 8)}, host...); !bytes.Equal(again, payload) {
				t.Errorf("CONNECT %x became %x", payload, again)
			}
		}
		if got, err := parseInfo(payload); err == nil && len(got.credentials) > len(payload) {
			t.Errorf("INFO %x has credentials of %d bytes", payload, len(got.credentials))
		}
	})
}

// Only the very lines of the file are accepted.
func FuzzPasswords(f *testing.F) {
	f.Add("ann:secret\n", "ann", "secret")
	f.Add("#x:y\n\na:b:c\r\n", "a", "b:c")
	f.Fuzz(func(t *testing.T, file, name, password string) {
		all, _ := parsePasswords(strings.NewReader(file))
		line := name + ":" + password
		given := append([]byte{byte(len(name))}, name+password...)
		if len(name) < 256 && all.accept(given) && !strings.Contains("\n"+strings.ReplaceAll(file+"\n", "\r\n", "\n"), "\n"+line+"\n") {
			t.Errorf("%q: accepted %q", file, line)
		}
	})
}
