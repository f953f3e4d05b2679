package whitelist_test

import (
	"fmt"
	"net/netip"
	"strings"

	"encke/whitelist"
)

func ExampleParse() {
	rules, err := whitelist.Parse(strings.NewReader(`
irc.example.org:6667,6697   # chat
*.example.net:5222
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, target := range []string{"IRC.example.org.:6697", "xmpp.example.net:5222", "example.net:5222"} {
		dest, err := whitelist.ParseHostPort(target)
		if err == nil {
			err = rules.From("").Check(dest)
		}
		fmt.Println(dest, err)
	}
	// Output:
	// irc.example.org:6697 <nil>
	// xmpp.example.net:5222 <nil>
	// example.net:5222 "example.net:5222" denied: no rule allows it; to allow it add the rule "example.net:5222"
}

func ExampleNew_errors() {
	_, err := whitelist.New("irc.example.org", "irc.example.org:6667", "*:6667")
	fmt.Println(strings.TrimSpace(err.Error()))
	// Output:
	// 2 errors occurred:
	// 	* rule 1: "irc.example.org": no port; write HOST:PORT, for example irc.example.org:6667
	// 	* rule 3: "*:6667": this lets pages reach any host; name the hosts, or pass --allow-any-host if that is meant
}

func ExampleScope_CheckAddrs() {
	rules, _ := whitelist.New("irc.example.org:6667")
	dest, _ := whitelist.ParseDest("irc.example.org", 6667)
	resolved := []netip.Addr{netip.MustParseAddr("93.184.215.14"), netip.MustParseAddr("127.0.0.1")}
	_, err := rules.From("").CheckAddrs(dest, resolved)
	fmt.Println(err)
	// Output:
	// "irc.example.org:6667" denied: its address 127.0.0.1 is loopback; to allow it add the rule "127.0.0.1:6667"
}
