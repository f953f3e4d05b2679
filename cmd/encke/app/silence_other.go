//go:build !linux

package app

import (
	"net"
	"time"
)

// listenConfig is for Linux alone; elsewhere the kernel's own patience counts.
func listenConfig(time.Duration) net.ListenConfig { return net.ListenConfig{} }
