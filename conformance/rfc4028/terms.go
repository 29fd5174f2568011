package rfc4028

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// terms are further cases of what is agreed (RFC 4028 §9).
func terms() []check.Case {
	return []check.Case{
		{
			ID: "rfc4028/9/6", Section: "RFC 4028 §9", Level: check.Must, Needs: []string{"timer"},
			Shows:       []string{"DRV4028-9-01"},
			Requirement: "When the SRC leaves open who refreshes, the 200 says it.",
			Run: func(ctx context.Context, t *check.T) {
				m := t.Open(ctx, src.Request{Headers: asks("1800")}).Final()
				_, who := expires(t, m)
				if who != "uac" && who != "uas" {
					t.Errorf("Session-Expires is %q", m.Get("Session-Expires"))
				}
				if who == "uac" && !m.Lists("Require", "timer") {
					t.Errorf("Require is %q, and the SRC has to refresh", m.Get("Require"))
				}
			},
		},
		{
			ID: "rfc4028/9/7", Section: "RFC 4028 §9", Level: check.Must, Needs: []string{"timer"},
			Shows:       []string{"DRV4028-9-01"},
			Requirement: "A Session-Expires that a proxy put in does not make an SRC refresh that does not support timers.",
			Run: func(ctx context.Context, t *check.T) {
				m := t.Open(ctx, src.Request{Headers: []src.Header{{Name: "Session-Expires", Value: "1800"}}}).Final()
				if m.Lists("Require", "timer") {
					t.Errorf("Require is %q", m.Get("Require"))
				}
				if !m.Has("Session-Expires") {
					return
				}
				if _, who := expires(t, m); who == "uac" {
					t.Errorf("Session-Expires is %q", m.Get("Session-Expires"))
				}
			},
		},
		{
			ID: "rfc4028/9/8", Section: "RFC 4028 §9, §7.4", Level: check.Must, Needs: []string{"timer"},
			Shows:       []string{"DRV4028-9-01"},
			Requirement: "A re-INVITE refreshes too: its 200 has the interval, and the description stays as it was.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{Headers: asks("1800;refresher=uac")})
				before := t.Answer(d)
				m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers(), Headers: asks("1800;refresher=uac")})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
				if n, who := expires(t, m); n > 1800 || n < 90 || who != "uac" {
					t.Errorf("Session-Expires is %q", m.Get("Session-Expires"))
				}
				if now := t.Answer(d); now.OriginID != before.OriginID || now.Media[0].Port != before.Media[0].Port || now.DirectionOf(0) != before.DirectionOf(0) {
					t.Errorf("the description became another one, of origin %q; it was %q", now.Origin, before.Origin)
				}
			},
		},
		{
			ID: "rfc4028/9/9", Section: "RFC 4028 §9", Level: check.Must, Needs: []string{"timer"},
			Shows:       []string{"DRV4028-9-01"},
			Requirement: "The interval is not made shorter than the Min-SE of the INVITE.",
			Run: func(ctx context.Context, t *check.T) {
				headers := append(asks("3600;refresher=uac"), src.Header{Name: "Min-SE", Value: "2400"})
				m := t.Open(ctx, src.Request{Headers: headers}).Final()
				if n, _ := expires(t, m); n < 2400 || n > 3600 {
					t.Errorf("Session-Expires is %q, asked for was 3600 and at least 2400", m.Get("Session-Expires"))
				}
			},
		},
		{
			ID: "rfc4028/9/10", Section: "RFC 4028 §9", Level: check.Must, Needs: []string{"timer", "update"},
			Shows:       []string{"DRV4028-9-01"},
			Requirement: "An interval that is too short is refused in an UPDATE too, with Min-SE, and the recording session goes on.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{Headers: asks("1800;refresher=uac")})
				m, err := d.Update(ctx, src.Request{Headers: asks("30;refresher=uac")})
				t.Check(err, "UPDATE")
				t.Status(m, 200, 422)
				if n, err := strconv.Atoi(m.Get("Min-SE")); m.Status == 422 && (err != nil || n < 90) {
					t.Errorf("Min-SE of the 422 is %q", m.Get("Min-SE"))
				}
				m, err = d.Update(ctx, src.Request{Headers: asks("1800;refresher=uac")})
				t.Check(err, "UPDATE after it")
				t.Status(m, 200)
			},
		},
	}
}

// shortest is the least interval of a session timer, in seconds (RFC 4028 §5), and
// slack what a server may take beyond what is right.
const (
	shortest = 90
	slack    = 10 * time.Second
)

// running are the cases of timers that run. They take the time of the shortest interval.
func running() []check.Case {
	return []check.Case{
		{
			ID: "rfc4028/7.4/1", Section: "RFC 4028 §7.4, §10", Level: check.Should, Needs: []string{"timer"}, Timeout: shortest/2*time.Second + slack,
			Shows:       []string{"4028-7.4-01"},
			Requirement: "A server that has to refresh sends UPDATE or INVITE when half of the interval is over.",
			Run: func(ctx context.Context, t *check.T) {
				overUDP(t)
				d := t.Open(ctx, src.Request{Headers: asks(strconv.Itoa(shortest) + ";refresher=uas")})
				if n, who := expires(t, d.Final()); n != shortest || who != "uas" {
					t.Skipf("the server does not take this upon itself: Session-Expires is %q", d.Final().Get("Session-Expires"))
				}
				m, err := d.NextRequest(ctx, "")
				for err == nil && m.Method == "ACK" {
					m, err = d.NextRequest(ctx, "")
				}
				if err != nil {
					t.Fatalf("no refresh came: %v", err)
				}
				if m.Method != "UPDATE" && m.Method != "INVITE" {
					t.Errorf("a %s came, and no refresh", m.Method)
				}
				if n, err := strconv.Atoi(strings.Split(m.Get("Session-Expires"), ";")[0]); err != nil || n < shortest {
					t.Errorf("Session-Expires of the refresh is %q", m.Get("Session-Expires"))
				}
			},
		},
		{
			ID: "rfc4028/10/1", Section: "RFC 4028 §10", Level: check.Should, Needs: []string{"timer"}, Timeout: shortest*time.Second + slack,
			Shows:       []string{"DRV4028-9-01"},
			Requirement: "A recording session that its SRC does not refresh is ended by a BYE before it expires.",
			Run: func(ctx context.Context, t *check.T) {
				overUDP(t)
				d := t.Open(ctx, src.Request{Headers: asks(strconv.Itoa(shortest) + ";refresher=uac")})
				if n, _ := expires(t, d.Final()); n != shortest {
					t.Skipf("the server wants another interval: Session-Expires is %q", d.Final().Get("Session-Expires"))
				}
				if _, err := d.NextRequest(ctx, "BYE"); err != nil {
					t.Errorf("no BYE came: %v", err)
				}
			},
		},
	}
}

// overUDP skips a case that takes long and does not depend on the transport.
func overUDP(t *check.T) {
	if t.Transport() != "udp" {
		t.Skipf("it does not depend on the transport")
	}
}
