package demo

import (
	"log/slog"
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// topics begins every topic and filter of the demo's broker.
const topics = "encke-demo/"

// startBroker starts an MQTT broker that lets anyone in, below topics only.
func startBroker() (backend, error) {
	l, err := listen()
	if err != nil {
		return backend{}, err
	}

	limits := mqtt.NewDefaultServerCapabilities()
	limits.MaximumClients = 1000
	limits.MaximumPacketSize = 64 << 10
	limits.MaximumSessionExpiryInterval = 600 // seconds
	b := mqtt.New(&mqtt.Options{
		Capabilities:           limits,
		SysTopicResendInterval: 3600, // seconds; nobody may read them here
		Logger:                 slog.New(slog.DiscardHandler),
	})
	if err := b.AddHook(&gate{}, nil); err != nil {
		return backend{}, giveUp(l, err)
	}
	if err := b.AddListener(listeners.NewNet("tcp", l)); err != nil {
		return backend{}, giveUp(l, err)
	}
	if err := b.Serve(); err != nil {
		return backend{}, giveUp(l, err)
	}
	return backend{addr: l.addr(), stop: b.Close}, nil
}

// giveUp closes the listener of a server that did not start.
func giveUp(l *listener, err error) error {
	_ = l.Close() // err says more
	return err
}

// gate decides for the broker who may do what.
type gate struct{ mqtt.HookBase }

func (*gate) ID() string { return "gate" }

func (*gate) Provides(b byte) bool {
	return b == mqtt.OnConnectAuthenticate || b == mqtt.OnACLCheck
}

func (*gate) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

func (*gate) OnACLCheck(_ *mqtt.Client, topic string, _ bool) bool {
	return strings.HasPrefix(topic, topics)
}
