package siprec

import (
	"context"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/conformance/src"
)

// BenchmarkInviteAckBye is the life of a recording session whose handler does
// nothing: INVITE with a body of 5 kB, 200, ACK, BYE, 200. Ports are opened and
// closed for two streams; the client is in the figures too.
func BenchmarkInviteAckBye(b *testing.B) {
	for _, transport := range []string{"udp", "tcp"} {
		b.Run(transport, func(b *testing.B) { benchmarkLife(b, transport) })
	}
}

func benchmarkLife(b *testing.B, transport string) {
	s, err := Listen(Config{
		Listen: []Endpoint{{Network: transport, Address: "127.0.0.1:0"}}, Log: zap.NewNop(),
		Handler: HandlerFunc(func(ctx context.Context, rs *RecordingSession) {
			for {
				if _, err := rs.Next(ctx); err != nil {
					return
				}
			}
		}),
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Serve(ctx); err != nil {
			b.Error(err)
		}
	})
	client, err := src.New(b.Context(), src.Config{Target: s.Endpoints()[0].Address, Transport: transport})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close(); cancel(); wg.Wait() })
	metadata := []byte("<recording><!--" + strings.Repeat("x", 4200) + "--></recording>")
	b.ReportAllocs()
	for b.Loop() {
		dialog, err := client.Invite(b.Context(), src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: metadata})
		if err != nil || dialog.Final().Status != 200 {
			b.Fatalf("INVITE: %v, %v", dialog, err)
		}
		if m, err := dialog.Bye(b.Context(), src.Request{Metadata: metadata}); err != nil || m.Status != 200 {
			b.Fatalf("BYE: %v, %v", m, err)
		}
		dialog.Close()
	}
}
