module encke-bench

go 1.26.0

require (
	encke v0.0.0
	github.com/coder/websocket v1.8.15
)

replace encke => ../
