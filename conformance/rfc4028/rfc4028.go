// Package rfc4028 checks session timers (RFC 4028).
package rfc4028

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case { return slices.Concat(agreed(), refused(), terms(), running()) }

// asks are the header fields with which an SRC asks for a timer.
func asks(value string) []src.Header {
	return []src.Header{{Name: "Supported", Value: "timer"}, {Name: "Session-Expires", Value: value}}
}

// expires reads Session-Expires.
func expires(t *check.T, m *src.Message) (seconds int, refresher string) {
	value, params, _ := strings.Cut(m.Get("Session-Expires"), ";")
	seconds, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil {
		t.Fatalf("Session-Expires is %q", m.Get("Session-Expires"))
	}
	for p := range strings.SplitSeq(params, ";") {
		if name, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(name), "refresher") {
			refresher = strings.ToLower(strings.TrimSpace(v))
		}
	}
	return seconds, refresher
}

func agreed() []check.Case {
	return []check.Case{
		{
			ID: "rfc4028/9/1", Section: "RFC 4028 §9", Level: check.Must, Needs: []string{"timer"},
			Shows:       []string{"DRV4028-9-01"},
			Requirement: "An SRC that asks to refresh by itself gets an interval no longer than its own, its wish, and timer in Require.",
			Run: func(ctx context.Context, t *check.T) {
				m := t.Open(ctx, src.Request{Headers: asks("1800;refresher=uac")}).Final()
				if n, who := expires(t, m); n > 1800 || n < 90 || who != "uac" {
					t.Errorf("Session-Expires is %q", m.Get("Session-Expires"))
				}
				if !m.Lists("Require", "timer") {
					t.Errorf("Require is %q, and the SRC has to refresh", m.Get("Require"))
				}
			},
		},
		{
			ID: "rfc4028/9/2", Section: "RFC 4028 §9", Level: check.Must, Needs: []string{"timer"},
			Shows:       []string{"DRV4028-9-01"},
			Requirement: "An SRC that asks the server to refresh is heard.",
			Run: func(ctx context.Context, t *check.T) {
				m := t.Open(ctx, src.Request{Headers: asks("1800;refresher=uas")}).Final()
				if _, who := expires(t, m); who != "uas" {
					t.Errorf("Session-Expires is %q", m.Get("Session-Expires"))
				}
			},
		},
		{
			ID: "rfc4028/9/3", Section: "RFC 4028 §9", Level: check.Must, Needs: []string{"timer", "update"},
			Shows:       []string{"DRV4028-9-01"},
			Requirement: "An UPDATE without a body refreshes: its 200 has the interval and no SDP.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{Headers: asks("1800;refresher=uac")})
				m, err := d.Update(ctx, src.Request{Headers: asks("1800;refresher=uac")})
				t.Check(err, "UPDATE")
				t.Status(m, 200)
				if _, who := expires(t, m); who != "uac" || len(m.Body) > 0 {
					t.Errorf("the refresh is answered with Session-Expires %q and a body of %d octets", m.Get("Session-Expires"), len(m.Body))
				}
			},
		},
	}
}

func refused() []check.Case {
	return []check.Case{
		{
			ID: "rfc4028/9/4", Section: "RFC 4028 §5, §9", Level: check.Must, Needs: []string{"timer"},
			Shows:       []string{"DRV4028-9-01"},
			Requirement: "An interval that the server finds too short is refused with 422, and Min-SE says how short it may be; else it is granted.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Invite(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), Headers: asks("30")})
				m := d.Final()
				t.Status(m, 200, 422)
				if m.Status == 200 {
					return
				}
				least, err := strconv.Atoi(m.Get("Min-SE"))
				if err != nil || least < 90 {
					t.Fatalf("Min-SE of the 422 is %q", m.Get("Min-SE"))
				}
				t.Open(ctx, src.Request{Headers: asks(strconv.Itoa(least))})
			},
		},
		{
			ID: "rfc4028/9/5", Section: "RFC 4028 §9", Level: check.Must, Needs: []string{"timer"},
			Shows:       []string{"DRV4028-9-01"},
			Requirement: "An SRC that does not know session timers is not required to.",
			Run: func(ctx context.Context, t *check.T) {
				m := t.Open(ctx, src.Request{}).Final()
				if m.Lists("Require", "timer") {
					t.Errorf("Require is %q", m.Get("Require"))
				}
			},
		},
	}
}
