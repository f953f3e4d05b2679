package edge

import "testing"

func BenchmarkHead(b *testing.B) {
	head := []byte("POST /session/send?node=n0 HTTP/1.1\r\nHost: tcp.example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\r\nAccept: */*\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\nContent-Type: text/plain\r\nContent-Length: 0\r\nOrigin: https://www.example.org\r\nConnection: keep-alive\r\nReferer: https://www.example.org/\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: cross-site\r\n\r\n")
	var f framing
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		f.scan(head)
	}
}
