// SPDX-License-Identifier: MIT

// An MQTT 5 broker that is not mosquitto, for tests. Usage: mochi HOST:PORT [USER PASSWORD]
package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

func rules(arguments []string) *auth.Ledger {
	if len(arguments) < 4 {
		return &auth.Ledger{Auth: auth.AuthRules{{Allow: true}}}
	}
	return &auth.Ledger{Auth: auth.AuthRules{
		{Username: auth.RString(arguments[2]), Password: auth.RString(arguments[3]), Allow: true},
	}}
}

// Says which version of MQTT each client came with.
type versions struct {
	mqtt.HookBase
}

func (*versions) ID() string { return "versions" }

func (*versions) Provides(event byte) bool { return event == mqtt.OnSessionEstablished }

func (*versions) OnSessionEstablished(client *mqtt.Client, _ packets.Packet) {
	fmt.Fprintf(os.Stderr, "client=%q version=%d\n", client.ID, client.Properties.ProtocolVersion)
}

func main() {
	if len(os.Args) != 2 && len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: mochi HOST:PORT [USER PASSWORD]")
		os.Exit(2)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	server := mqtt.New(&mqtt.Options{Logger: log})
	if err := server.AddHook(new(auth.Hook), &auth.Options{Ledger: rules(os.Args)}); err != nil {
		log.Error("rules", "error", err)
		os.Exit(1)
	}
	if err := server.AddHook(new(versions), nil); err != nil {
		log.Error("versions", "error", err)
		os.Exit(1)
	}
	if err := server.AddListener(listeners.NewTCP(listeners.Config{ID: "tcp", Address: os.Args[1]})); err != nil {
		log.Error("listener", "error", err)
		os.Exit(1)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	if err := server.Serve(); err != nil {
		log.Error("serve", "error", err)
		os.Exit(1)
	}
	<-ended
	_ = server.Close()
}
