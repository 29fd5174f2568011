package security

import (
	"context"
	"fmt"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

const (
	// floodRate is how many messages a flood has in a second, floodTime how long it is.
	floodRate, floodTime = 500, 1500 * time.Millisecond
	// soon is how long a request of another may take meanwhile.
	soon = 4 * time.Second
)

// flood are the cases of one source that sends much. They are bounded: no server is
// harmed that can take a few hundred messages in a second.
func flood() []check.Case {
	return []check.Case{
		flooded(1, "requests of no dialog", func(i int, r *src.Request) string {
			r.CallID, r.ToTag = fmt.Sprintf("flood-%d", i), "flood"
			return "BYE"
		}),
		flooded(2, "INVITEs that nobody acknowledges", func(i int, r *src.Request) string {
			r.CallID, r.Require = fmt.Sprintf("flood-invite-%d", i), []string{"x-none"}
			return "INVITE"
		}),
		{
			ID: "security/flood/3", Section: "RFC 3261 §26.1.5", Level: check.Derived, Alone: true, Timeout: 20 * time.Second,
			Requirement: "Octets that are no SIP, sent without a break, do not keep an SRC's recording session from going on.",
			Run: func(ctx context.Context, t *check.T) {
				if t.Transport() != "udp" {
					t.Skipf("a connection with octets that are no SIP may be closed")
				}
				attacker, c := t.Client(ctx), t.Client(ctx)
				d := openBy(ctx, t, c, src.Request{})
				before := t.Answer(d)
				during(ctx, t, func(int) error { return attacker.Send([]byte("\x00\x01\x02\x03 no SIP at all \xff\xfe")) }, func() {
					lives(ctx, t, d, before, "octets that are no SIP")
				})
			},
		},
	}
}

// flooded is the case of messages of one source that come without a break, while a
// recording session of another is opened, changed and ended.
func flooded(n int, what string, write func(i int, r *src.Request) (method string)) check.Case {
	return check.Case{
		ID: id("flood", n), Section: "RFC 3261 §26.1.5", Level: check.Derived, Alone: true, Timeout: 20 * time.Second,
		Requirement: fmt.Sprintf("%d %s in a second, of one source, do not keep another's recording session from being opened, going on and ending.", floodRate, what),
		Run: func(ctx context.Context, t *check.T) {
			attacker, c := t.Client(ctx), t.Client(ctx)
			local := attacker.Local()
			send := func(i int) error {
				var r src.Request
				method := write(i, &r)
				to := "<sip:srs@" + t.Address() + ">"
				if r.ToTag != "" {
					to += ";tag=" + r.ToTag
				}
				require := ""
				if len(r.Require) > 0 {
					require = "Require: " + r.Require[0] + "\r\n"
				}
				return attacker.Send(fmt.Appendf(nil, "%s sip:srs@%s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bKflood%d;rport\r\nMax-Forwards: 70\r\n"+
					"From: <sip:flood@example.com>;tag=flood\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 1 %s\r\nContact: <sip:flood@%s>\r\n%sContent-Length: 0\r\n\r\n",
					method, t.Address(), viaTransport(t), local, i, to, r.CallID, method, local, require))
			}
			during(ctx, t, send, func() {
				began := time.Now()
				d := openBy(ctx, t, c, src.Request{})
				lives(ctx, t, d, t.Answer(d), what)
				m, err := d.Bye(ctx, src.Request{})
				t.Check(err, "BYE")
				t.Status(m, 200)
				if took := time.Since(began); took > soon {
					t.Errorf("INVITE, re-INVITE and BYE took %v meanwhile", took.Round(time.Millisecond))
				}
			})
		},
	}
}

func viaTransport(t *check.T) string {
	return map[string]string{"udp": "UDP", "tcp": "TCP", "tls": "TLS"}[t.Transport()]
}

// during runs something in the midst of a flood, and again after it.
func during(ctx context.Context, t *check.T, send func(i int) error, meanwhile func()) {
	ctx, cancel := context.WithTimeout(ctx, floodTime)
	defer cancel()
	sent := make(chan error, 1)
	go func() {
		tick := time.NewTicker(time.Second / floodRate)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-tick.C:
				if err := send(i); err != nil {
					sent <- err
					return
				}
			case <-ctx.Done():
				sent <- nil
				return
			}
		}
	}()
	// A case may end itself in the midst; the flood ends with it.
	t.Cleanup(func() {
		cancel()
		if err := <-sent; err != nil && t.Transport() == "udp" {
			t.Check(err, "send the flood")
		}
	})
	select {
	case <-time.After(floodTime / 4):
	case err := <-sent:
		sent <- err
	}
	meanwhile()
	<-ctx.Done()
	meanwhile()
}
