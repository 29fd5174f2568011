package main

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/siprec"
)

// ending is a handler that ends each recording session as soon as it is offered.
type ending struct{ served atomic.Int32 }

func (e *ending) ServeRecording(ctx context.Context, rs *siprec.RecordingSession) {
	for {
		ev, err := rs.Next(ctx)
		if err != nil {
			return
		}
		if ev.Kind == siprec.Offered {
			e.served.Add(1)
			rs.End()
		}
	}
}

// TestRecordFrom: an SRC that refuses is asked again after twice the time, one that
// accepted again when the recording session has ended, and nobody after close.
// Shows 7866-6.2-03.
func TestRecordFrom(t *testing.T) {
	handler := &ending{}
	core, logs := observer.New(zap.InfoLevel)
	s := newStanding(handler, zap.New(core))
	waits := make(chan time.Duration)
	s.wait = func(ctx context.Context, d time.Duration) {
		select {
		case waits <- d:
		case <-ctx.Done():
		}
	}
	s.latest = 15 * time.Second
	server, err := siprec.Listen(siprec.Config{Listen: []siprec.Endpoint{{Network: "udp", Address: "127.0.0.1:0"}}, Handler: s, Log: zap.NewNop(), Vanish: -1})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background()) }()
	var asked atomic.Int32
	sentBy := make(chan string, 64)
	client, err := src.New(t.Context(), src.Config{
		Target: server.Endpoints()[0].Address,
		Handler: func(req *src.Message) *src.Reply {
			if req.Method != "INVITE" {
				return src.AutoReply(req)
			}
			if asked.Add(1) <= 3 {
				return &src.Reply{Status: 486}
			}
			return &src.Reply{Status: 200, ContentType: "application/sdp", Body: []byte("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
				"m=audio 40000 RTP/AVP 0\r\na=sendonly\r\na=label:1\r\n")}
		},
		Trace: func(dir src.Direction, _ time.Time, text string) {
			if m, err := src.Parse([]byte(text)); err == nil && dir == src.In && m.Method == "" {
				address, _, _ := strings.Cut(strings.Fields(m.Get("Via"))[1], ";")
				select {
				case sentBy <- address:
				default:
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	// Any answer of the server shows where the SRC sends from.
	if _, err := client.Options(t.Context(), src.Request{}); err != nil {
		t.Fatal(err)
	}
	var to target
	if err := to.UnmarshalText([]byte("sip:src@" + <-sentBy)); err != nil {
		t.Fatal(err)
	}
	a, err := newAdmission(settings{})
	if err != nil {
		t.Fatal(err)
	}
	s.expect([]target{to})
	s.begin(server, []target{to}, a.asked)
	var got []time.Duration
	for range 5 {
		select {
		case d := <-waits:
			got = append(got, d)
		case <-deadline(t).Done():
			t.Fatalf("asked %d times, waited %v", asked.Load(), got)
		}
	}
	s.close()
	if want := []time.Duration{5 * time.Second, 10 * time.Second, 15 * time.Second, 5 * time.Second, 5 * time.Second}; !slices.Equal(got, want) {
		t.Errorf("waited %v, want %v", got, want)
	}
	for _, message := range []string{"recording session opened", "no recording session with an SRC that was asked for one"} {
		if lines := logs.FilterMessage(message); lines.Len() == 0 || lines.FilterField(zap.String("uri", to.uri.String())).FilterField(zap.String("src", "loopback")).Len() != lines.Len() {
			t.Errorf("%q does not tell the URI and the name: %v", message, lines.All())
		}
	}
	if handler.served.Load() < 2 {
		t.Errorf("%d recording sessions, want 2", handler.served.Load())
	}
	if err := server.Shutdown(deadline(t)); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestTargets(t *testing.T) {
	for text, good := range map[string]bool{
		"sip:src@192.0.2.1": true, "sips:sbc.example.com": true, "sip:sbc.example.com;transport=tcp": true,
		"sips:sbc.example.com;transport=tcp": true, "sip:192.0.2.1;transport=TLS": true, "sip:192.0.2.1;transport=sctp": false, "sips:192.0.2.1;transport=udp": false,
		"": false, "192.0.2.1": false, "tel:+15550100": false, "http://sbc.example.com": false, "sip:": false,
	} {
		if err := new(target).UnmarshalText([]byte(text)); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
	a, err := newAdmission(settings{})
	if err != nil {
		t.Fatal(err)
	}
	var to target
	if err := to.UnmarshalText([]byte("sip:sbc.example.com")); err != nil {
		t.Fatal(err)
	}
	if got := a.asked(to.uri).Name; got != "sbc.example.com" {
		t.Errorf("counts as %q", got)
	}
}
