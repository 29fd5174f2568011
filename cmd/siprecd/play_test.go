package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// TestPlayToNobody: what does not answer an INVITE is given up, after the limit or
// when the user has had enough, and nothing is cancelled that never began.
func TestPlayToNobody(t *testing.T) {
	for _, tt := range []struct {
		name  string
		limit time.Duration
		bored bool // the user interrupts when the INVITE has arrived
	}{
		{name: "limit", limit: 50 * time.Millisecond},
		{name: "interrupt", limit: patience, bored: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			silent, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				t.Fatal(err)
			}
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			methods := make(chan []string)
			go func() {
				var seen []string
				buf := make([]byte, 65535)
				for {
					n, err := silent.Read(buf)
					if err != nil {
						methods <- seen
						return
					}
					method, _, _ := bytes.Cut(buf[:n], []byte(" "))
					seen = append(seen, string(method))
					if tt.bored {
						interrupt()
					}
				}
			}()

			_, err = performance{
				client:   src.Config{Target: silent.LocalAddr().String()},
				speakers: []speaker{{aor: "sip:a@example.com", name: "a", codec: src.PCMU(), voice: src.Voice(src.Deep)}},
				limit:    tt.limit,
			}.play(ctx)
			if !errors.Is(err, src.ErrNoResponse) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error = %q, want no response, in one line", err)
			}
			if err := silent.Close(); err != nil {
				t.Error(err)
			}
			for _, method := range <-methods {
				if method != "INVITE" {
					t.Errorf("%s was sent although no response came", method)
				}
			}
		})
	}
}
