module encke-bench

go 1.26.0

require (
	encke v0.0.0
	github.com/coder/websocket v1.8.15
)

require golang.org/x/sys v0.49.0 // indirect

replace encke => ../
