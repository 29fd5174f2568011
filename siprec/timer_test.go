package siprec

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

func header(name, value string) []src.Header { return []src.Header{{Name: name, Value: value}} }

func timed(value string, more ...src.Header) []src.Header {
	return append([]src.Header{{Name: "Supported", Value: "timer"}, {Name: "Session-Expires", Value: value}}, more...)
}

// TestIntervalIsAgreed is table 2 of RFC 4028 §9.
// Shows DRV4028-9-01.
func TestIntervalIsAgreed(t *testing.T) {
	tests := []struct {
		name    string
		headers []src.Header
		want    string // Session-Expires of the 200
		require bool
	}{
		{"not asked for", header("Supported", "timer"), "", false},
		{"the SRC leaves the choice", timed("1800"), "1800;refresher=uac", true},
		{"the SRC refreshes", timed("90;refresher=uac"), "90;refresher=uac", true},
		{"we refresh", timed("1800 ; x=y; Refresher=UAS"), "1800;refresher=uas", true},
		{"compact", []src.Header{{Name: "k", Value: "timer"}, {Name: "x", Value: "600;refresher=uac"}}, "600;refresher=uac", true},
		{"required", []src.Header{{Name: "Require", Value: "timer"}, {Name: "Session-Expires", Value: "600"}}, "600;refresher=uac", true},
		{"asked for by a proxy", header("Session-Expires", "600"), "600;refresher=uas", false},
		{"too short, by a proxy", header("Session-Expires", "60"), "", false},
		{"unreadable", timed("soon"), "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, nil)
			f := d.invite(src.Request{Headers: tt.headers}).Final()
			d.want(Offered)
			if f.Status != 200 || f.Get("Session-Expires") != tt.want || f.Lists("Require", "timer") != tt.require {
				t.Errorf("answered %d, Session-Expires %q, Require %q", f.Status, f.Get("Session-Expires"), f.All("Require"))
			}
		})
	}
}

// Shows DRV4028-9-01.
func TestShortIntervalIsRefused(t *testing.T) {
	d := newDesk(t, nil)
	if f := d.invite(src.Request{Headers: timed("89")}).Final(); f.Status != 422 || f.Get("Min-SE") != "90" {
		t.Errorf("answered %d, Min-SE %q", f.Status, f.Get("Min-SE"))
	}
	dialog := d.invite(src.Request{})
	d.want(Offered)
	if m, err := dialog.Update(t.Context(), src.Request{Headers: timed("30")}); err != nil || m.Status != 422 {
		t.Errorf("UPDATE: %v, %v", m, err)
	}
	if m, err := dialog.Info(t.Context(), src.Request{Headers: timed("30")}); err != nil || m.Status != 200 {
		t.Errorf("INFO is no refresh: %v, %v", m, err)
	}
}

// TestSessionTimerOfAnSRC: what its profile says of intervals.
// Shows DRV4028-9-01.
func TestSessionTimerOfAnSRC(t *testing.T) {
	off := SessionTimer{Off: true}
	bounded := SessionTimer{Minimum: 5 * time.Minute, Interval: 30 * time.Minute}
	least := SessionTimer{Minimum: 5 * time.Minute}
	for _, tt := range []struct {
		name    string
		timer   SessionTimer
		headers []src.Header
		status  int
		want    string // Session-Expires of a 200, Min-SE of a 422
		require bool
	}{
		{"off", off, timed("1800"), 200, "", false},
		{"off, below all", off, timed("30"), 200, "", false},
		{"off, required", off, []src.Header{{Name: "Require", Value: "timer"}, {Name: "Session-Expires", Value: "600"}}, 200, "600;refresher=uac", true},
		{"below the minimum", least, timed("299"), 422, "300", false},
		{"the minimum", least, timed("300"), 200, "300;refresher=uac", true},
		{"a minimum, not asked", least, header("Supported", "timer"), 200, "", false},
		{"below the minimum, by a proxy", least, header("Session-Expires", "120"), 200, "120;refresher=uas", false},
		{"above the interval", bounded, timed("7200;refresher=uas"), 200, "1800;refresher=uas", true},
		{"within the interval", bounded, timed("600"), 200, "600;refresher=uac", true},
		{"above the interval, but not less", bounded, timed("7200", src.Header{Name: "Min-SE", Value: "3600"}), 200, "3600;refresher=uac", true},
		{"below its own Min-SE", SessionTimer{}, timed("200", src.Header{Name: "Min-SE", Value: "1200"}), 200, "1200;refresher=uac", true},
		{"an interval, below its own Min-SE", bounded, timed("600", src.Header{Name: "Min-SE", Value: "1200"}), 200, "1200;refresher=uac", true},
		{"an interval, not asked", bounded, header("Supported", "timer"), 200, "1800;refresher=uac", true},
		{"an interval, not asked, but not less", bounded, append(header("Supported", "timer"), src.Header{Name: "Min-SE", Value: "3600;x"}), 200, "3600;refresher=uac", true},
		{"an interval, not known", bounded, nil, 200, "1800;refresher=uas", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, nil, func(c *Config) { c.Admit = func(Origin) (SRC, error) { return SRC{SessionTimer: tt.timer}, nil } })
			f := d.invite(src.Request{Headers: tt.headers}).Final()
			got := f.Get("Session-Expires")
			if tt.status == 200 {
				d.want(Offered)
			} else {
				got = f.Get("Min-SE")
			}
			if f.Status != tt.status || got != tt.want || f.Lists("Require", "timer") != tt.require {
				t.Errorf("answered %d, %q, Require %q", f.Status, got, f.All("Require"))
			}
			if tt.status == 200 && f.Lists("Supported", "timer") == tt.timer.Off {
				t.Errorf("Supported %q", f.All("Supported"))
			}
		})
	}
}

// TestConfiguredIntervalIsKept: one that the SRC did not ask for holds over its
// re-INVITEs, and ends what nobody refreshes.
// Shows DRV4028-9-01.
func TestConfiguredIntervalIsKept(t *testing.T) {
	d := newDesk(t, nil, neverAsk, func(c *Config) {
		c.Admit = func(Origin) (SRC, error) { return SRC{SessionTimer: SessionTimer{Interval: 90 * time.Second}}, nil }
	})
	known := header("Supported", "timer")
	dialog := d.invite(src.Request{Headers: known})
	d.want(Offered)
	d.stand(dialog, 60*time.Second)
	d.clock.advance(59 * time.Second)
	if m, err := dialog.Reinvite(t.Context(), src.Request{Headers: known, Streams: dialog.Offers()}); err != nil || m.Get("Session-Expires") != "90;refresher=uac" {
		t.Fatalf("re-INVITE: %v, %v", m, err)
	}
	d.stand(dialog, 60*time.Second)
	d.clock.advance(60 * time.Second)
	if ev := d.want(Ended); ev.Reason != EndExpired {
		t.Errorf("ended by %s", ev.Reason)
	}
	await(t, dialog, "BYE")
}

// stand waits until a dialog with a session timer stands, whose next due timers
// are given.
func (d *desk) stand(dialog *src.Dialog, due ...time.Duration) {
	d.t.Helper()
	if m, err := dialog.Options(d.t.Context(), src.Request{}); err != nil || m.Status != 200 {
		d.t.Fatalf("OPTIONS: %v, %v", m, err)
	}
	d.clock.await(due...)
}

func neverAsk(c *Config) { c.Vanish = -1 }

// TestUnrefreshedExpires: the BYE leaves a third of the interval before its end.
// Shows DRV4028-9-01, 3326-2-01.
func TestUnrefreshedExpires(t *testing.T) {
	d := newDesk(t, nil, neverAsk)
	dialog := d.invite(src.Request{Headers: timed("90;refresher=uac")})
	d.want(Offered)
	d.stand(dialog, 60*time.Second)
	d.clock.advance(60 * time.Second)
	if ev := d.want(Ended); ev.Reason != EndExpired || !ev.Streams[0].Receiving {
		t.Errorf("ended by %s with %+v", ev.Reason, ev.Streams)
	}
	if got := await(t, dialog, "BYE").Get("Reason"); got != `SIP;cause=408;text="session timer expired"` {
		t.Errorf("Reason is %q", got)
	}
}

// TestRefreshBySRC: it goes on, and the handler is told nothing.
// Shows DRV4028-9-01.
func TestRefreshBySRC(t *testing.T) {
	d := newDesk(t, nil, neverAsk)
	dialog := d.invite(src.Request{Headers: timed("1800;refresher=uac")})
	d.want(Offered)
	const due = 1768 * time.Second
	d.stand(dialog, due)
	for _, method := range []string{"INVITE", "UPDATE", "INVITE"} {
		d.clock.advance(due - time.Second)
		r := src.Request{Headers: timed("1800;refresher=uac")}
		if method == "INVITE" {
			r.Streams = dialog.Offers()
		}
		m, err := dialog.Do(t.Context(), method, r)
		if err != nil || m.Status != 200 || m.Get("Session-Expires") != "1800;refresher=uac" {
			t.Fatalf("%s: %v, %v", method, m, err)
		}
		d.stand(dialog, due)
	}
	if n := len(d.events); n != 0 {
		t.Errorf("%d events of refreshes", n)
	}
	// Knowing of timers without asking again keeps what was agreed.
	if m, err := dialog.Update(t.Context(), src.Request{Headers: header("Supported", "timer")}); err != nil || m.Get("Session-Expires") != "1800;refresher=uac" {
		t.Errorf("UPDATE: %v, %v", m, err)
	}
	// One that no longer knows of them would not refresh.
	if m, err := dialog.Update(t.Context(), src.Request{}); err != nil || m.Has("Session-Expires") {
		t.Errorf("UPDATE: %v, %v", m, err)
	}
	d.stand(dialog)
}

// TestRefreshByUs: at half the interval, by UPDATE or, for an SRC without it, by
// an INVITE with the SDP of before.
// Shows 4028-7.4-01.
func TestRefreshByUs(t *testing.T) {
	d := newDesk(t, nil, neverAsk)
	dialog := d.invite(src.Request{Headers: timed("600;refresher=uas")})
	d.want(Offered)
	first, err := dialog.Answer()
	if err != nil {
		t.Fatal(err)
	}
	before := dialog.Final()
	var refuse atomic.Int32 // the status to answer an UPDATE with; 0 for 200
	dialog.Handle(func(req *src.Message) *src.Reply {
		if status := int(refuse.Load()); req.Method == "UPDATE" && status > 0 {
			return &src.Reply{Status: status}
		}
		return &src.Reply{Status: 200, Headers: timed("600;refresher=uac")}
	})
	for range 3 {
		d.stand(dialog, 300*time.Second, 568*time.Second)
		d.clock.advance(300 * time.Second)
		u := await(t, dialog, "UPDATE")
		if u.Get("Session-Expires") != "600;refresher=uac" || len(u.Body) > 0 || !u.Lists("Supported", "timer") {
			t.Errorf("refreshed by %q", u.Raw)
		}
	}
	refuse.Store(405)
	d.stand(dialog, 300*time.Second, 568*time.Second)
	d.clock.advance(300 * time.Second)
	await(t, dialog, "UPDATE")
	again := await(t, dialog, "INVITE")
	await(t, dialog, "ACK")
	d.stand(dialog, 300*time.Second, 568*time.Second)
	if string(again.Body) != string(before.Body) || first == nil || again.ContentType() != "application/sdp" {
		t.Errorf("offer is\n%s, was\n%s", again.Body, before.Body)
	}
	if n := len(d.events); n != 0 {
		t.Errorf("%d events of refreshes", n)
	}
}

// TestUnansweredRefresh: silence and 481 end the recording session, everything
// else leaves time to try again.
// Shows 4028-7.4-01.
func TestUnansweredRefresh(t *testing.T) {
	tests := []struct {
		name   string
		reply  *src.Reply
		reason EndReason
		bye    bool
	}{
		{"481", &src.Reply{Status: 481}, EndGone, false},
		{"408", &src.Reply{Status: 408}, EndGone, true},
		{"always 488", &src.Reply{Status: 488}, EndExpired, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, nil, neverAsk)
			dialog := d.invite(src.Request{Headers: timed("160;refresher=uas")})
			d.want(Offered)
			d.stand(dialog, 80*time.Second, 128*time.Second)
			dialog.Handle(func(req *src.Message) *src.Reply {
				if req.Method == "UPDATE" {
					return tt.reply
				}
				return &src.Reply{Status: 200}
			})
			d.clock.advance(80 * time.Second)
			await(t, dialog, "UPDATE")
			if tt.reason == EndExpired {
				d.clock.await(20*time.Second, 48*time.Second)
				d.clock.advance(20 * time.Second)
				await(t, dialog, "UPDATE")
				d.clock.await(20*time.Second, 28*time.Second)
				d.clock.advance(28 * time.Second)
			}
			if ev := d.want(Ended); ev.Reason != tt.reason {
				t.Errorf("ended by %s", ev.Reason)
			}
			if tt.bye {
				await(t, dialog, "BYE")
			}
		})
	}
}

// TestRefreshTakesTheMinimumOfThe422 is RFC 4028 §7.3.
// Shows 4028-7.4-01.
func TestRefreshTakesTheMinimumOfThe422(t *testing.T) {
	d := newDesk(t, nil, neverAsk)
	dialog := d.invite(src.Request{Headers: timed("160;refresher=uas")})
	d.want(Offered)
	d.stand(dialog, 80*time.Second, 128*time.Second)
	dialog.Handle(func(req *src.Message) *src.Reply {
		if strings.HasPrefix(req.Get("Session-Expires"), "160;") {
			return &src.Reply{Status: 422, Headers: header("Min-SE", "400")}
		}
		return &src.Reply{Status: 200}
	})
	d.clock.advance(80 * time.Second)
	await(t, dialog, "UPDATE")
	if u := await(t, dialog, "UPDATE"); u.Get("Session-Expires") != "400;refresher=uac" {
		t.Errorf("Session-Expires is %q", u.Get("Session-Expires"))
	}
	d.stand(dialog, 200*time.Second, 368*time.Second)
}

// TestIntervalOfAnSRCThatWasCalled: one that states none in its 2xx is refreshed by us.
// Shows DRV4028-9-01.
func TestIntervalOfAnSRCThatWasCalled(t *testing.T) {
	for _, timer := range []SessionTimer{{Interval: 90 * time.Second}, {Off: true}} {
		d := newDesk(t, nil, neverAsk)
		c := callee(t, d, offering)
		if err := d.server.Initiate(t.Context(), c.uri, SRC{SessionTimer: timer}); err != nil {
			t.Fatal(err)
		}
		if invite := c.next(t, "INVITE"); invite.Lists("Supported", "timer") == timer.Off {
			t.Errorf("Supported %q", invite.All("Supported"))
		}
		d.want(Offered)
		c.next(t, "ACK")
		if timer.Off {
			d.clock.await()
			continue
		}
		d.clock.await(45*time.Second, 60*time.Second)
		d.clock.advance(45 * time.Second)
		if refresh := c.next(t, "UPDATE"); refresh.Get("Session-Expires") != "90;refresher=uac" {
			t.Errorf("refreshed with %q", refresh.Get("Session-Expires"))
		}
	}
}
