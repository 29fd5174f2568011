package conformance_test

import (
	"crypto/tls"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

// start runs a model server for one test.
func start(t *testing.T, cfg model.Config) check.Target {
	t.Helper()
	var believed *tls.Config
	if cfg.Network == "tls" {
		cfg.TLS, believed = certified(t, cfg.TLS)
	}
	s, err := model.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return check.Target{Address: s.Addr(), Transport: cfg.Network, TLS: believed}
}

// certified completes the configuration of a server of TLS, nil for TLS 1.2 and above,
// and makes that of its clients.
func certified(t *testing.T, server *tls.Config) (complete, client *tls.Config) {
	t.Helper()
	authority, err := src.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := authority.Issue("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if server == nil {
		server = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	server.Certificates = []tls.Certificate{cert}
	return server, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: authority.Pool()}
}

func TestEveryCasePassesOnACorrectServer(t *testing.T) {
	passed := make(map[string]bool)
	for _, network := range []string{"udp", "tcp", "tls"} {
		t.Run(network, func(t *testing.T) {
			target := start(t, model.Config{Network: network, Reports: true})
			r, err := conformance.Run(t.Context(), target, conformance.Options{Timeout: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range r.Results {
				passed[c.ID] = passed[c.ID] || c.Outcome == check.Pass
				if c.Outcome != check.Pass && c.Outcome != check.Skip {
					t.Errorf("%s: %s %v", c.ID, c.Outcome, c.Messages)
				}
			}
		})
	}
	for _, c := range conformance.All() {
		if !passed[c.ID] {
			t.Errorf("%s is skipped over every transport", c.ID)
		}
	}
}

func TestEveryCaseIsDescribedOnce(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range conformance.All() {
		if seen[c.ID] {
			t.Errorf("%s stands twice", c.ID)
		}
		seen[c.ID] = true
		if c.Requirement == "" || c.Section == "" || c.Level == 0 || c.Run == nil {
			t.Errorf("%s is not fully described", c.ID)
		}
	}
}

// alter is a mistake of a server.
type alter func(req *src.Message, r *model.Response)

// edit replaces text in every SDP after the given number of descriptions.
func edit(after int, old, replacement string) alter {
	seen := 0
	return func(_ *src.Message, r *model.Response) {
		if r.SDP == "" {
			return
		}
		if seen++; seen > after {
			r.SDP = strings.ReplaceAll(r.SDP, old, replacement)
		}
	}
}

// answerAs gives another status to requests of a method, from the nth on.
func answerAs(method string, nth, status int) alter {
	seen := 0
	return func(req *src.Message, r *model.Response) {
		if req.Method == method {
			if seen++; seen >= nth {
				r.Status = status
			}
		}
	}
}

// insist turns one status into another.
func insist(from, to int) alter {
	return func(_ *src.Message, r *model.Response) {
		if r.Status == from {
			r.Status = to
		}
	}
}

func set(method, name, value string) alter {
	return func(req *src.Message, r *model.Response) {
		if req.Method == method && r.Status != 481 {
			r.Set(name, value)
		}
	}
}

// lines rewrites the m-lines of an answer.
func lines(f func(i int, fields []string)) alter {
	return func(_ *src.Message, r *model.Response) {
		all := strings.Split(r.SDP, "\r\n")
		n := 0
		for k, l := range all {
			if strings.HasPrefix(l, "m=") {
				fields := strings.Fields(l)
				f(n, fields)
				all[k] = strings.Join(fields, " ")
				n++
			}
		}
		r.SDP = strings.Join(all, "\r\n")
	}
}

func port(i int, value string) alter {
	return lines(func(k int, f []string) {
		if k == i {
			f[1] = value
		}
	})
}

// refuse answers 415 to bodies that hold some text.
func refuse(method, text string) alter {
	return func(req *src.Message, r *model.Response) {
		if req.Method == method && strings.Contains(string(req.Raw), text) {
			r.Status, r.SDP = 415, ""
		}
	}
}

// lowVersion leaves the o= version as it was.
func lowVersion(_ *src.Message, r *model.Response) {
	r.SDP = strings.ReplaceAll(r.SDP, " 77 2 IN", " 77 1 IN")
}

// wrong has, for each case, a server that it must blame.
func wrong() map[string]alter {
	const inside, contact = "<sip:srs@192.0.2.1;+sip.srs>", "<sip:srs@192.0.2.1>;+sip.src"
	version := 10
	return map[string]alter{
		"rfc3261/8.2.2.3/1": insist(420, 200),
		"rfc3261/8.2.3/1":   insist(415, 200),
		"rfc3261/9.2/1":     answerAs("CANCEL", 1, 500),
		"rfc3261/11.2/1":    set("OPTIONS", "Accept", "application/sdp"),
		"rfc3261/12.2.2/1":  insist(481, 200),
		"rfc3261/12.2.2/2":  insist(500, 200),
		"rfc3261/15.1.2/1":  insist(481, 200),
		"rfc3261/15.1.2/2":  answerAs("BYE", 1, 500),
		"rfc3264/6/1":       port(0, "4000"),
		"rfc3264/6.1/1":     lines(func(_ int, f []string) { f[3] = "18" }),
		"rfc3264/8/1":       lowVersion,
		"rfc3264/8.1/1":     func(q *src.Message, r *model.Response) { version += 2; port(0, fmt.Sprint(version))(q, r) },
		"rfc3264/8.2/1":     port(1, "4000"),
		"rfc3311/4/1":       set("INVITE", "Allow", "INVITE, ACK, BYE"),
		"rfc3311/5.2/1":     edit(1, "a=inactive", "a=recvonly"),
		"rfc4568/5.1.2/1":   edit(0, "a=crypto:1", "a=crypto:3"),
		"rfc4568/5.1.2/2":   edit(0, strings.Repeat("B", 40), strings.Repeat("A", 40)),
		"rfc4568/5.1.2/3":   port(0, "4000"),
		"rfc7866/6.1.1/1":   answerAs("INVITE", 1, 420),
		"rfc7866/6.2/1":     set("INVITE", "Contact", inside),
		"rfc7866/6.2/2":     set("INVITE", "Contact", contact),
		"rfc7866/6.2/3":     set("UPDATE", "Contact", inside),
		"rfc7866/7.1.2/1":   edit(0, "a=recvonly", "a=record:on\r\na=recvonly"),
		"rfc7866/7.2/1":     edit(0, "a=recvonly", "a=sendrecv"),
		"rfc7866/7.2/2":     edit(0, "a=recvonly", "a=sendrecv"),
		"rfc7866/7.2/3":     edit(0, "a=recvonly\r\n", ""),
		"rfc7866/7.2/4":     edit(0, "a=inactive", "a=recvonly"),
		"rfc7866/7.2/5":     edit(0, "a=inactive", "a=recvonly"),
		"rfc7866/7.2/6":     edit(0, "leg-B", "leg-b"),
		"rfc7866/7.2/7":     edit(1, "v=0", "m=audio 9 RTP/AVP 0\r\nv=0"),
		"rfc7866/8.3.1/1":   lines(func(i int, f []string) { f[0] = "m=audio" }),
		"rfc7866/8.3.1/2":   port(3, "4000"),
		"rfc7866/8.3.1/3":   edit(0, "a=recvonly", "a=sendonly"),
		"rfc7866/8.3.2/1":   port(0, "0"),
		"rfc7866/8.4/1":     lines(func(_ int, f []string) { f[1] = "4000" }),
		"rfc7866/9/1":       refuse("INVITE", src.TypeMetadata),
		"rfc7866/9/2":       refuse("INVITE", src.TypeOldMetadata+"\r\n"),
		"rfc7866/9/3":       refuse("INVITE", "rs-metadata+xml\r\n\r\n"),
		"rfc7866/9.1/1":     refuse("INVITE", `boundary="`),
		"rfc7866/9.1/2":     func(q *src.Message, r *model.Response) { updateWithSDP(q, r) },
		"rfc7866/9.1/3":     answerAs("INVITE", 2, 488),
		"rfc7866/9.1/4":     refuse("BYE", "rs-metadata"),
		"rfc7866/9.2/1":     answerAs("BYE", 1, 400),
		"rfc3264/8/2": func(q *src.Message, r *model.Response) {
			version++
			r.SDP = strings.ReplaceAll(r.SDP, " 77 1 ", fmt.Sprintf(" 77 %d ", version))
		},
	}
}

// byConfiguration are the cases that are shown by servers of their own below.
var byConfiguration = []string{
	"rfc3261/12.2.1.1/1", "rfc3261/13.3.1.4/1", "rfc3261/17.2.1/1", "rfc3261/17.2.2/1", "rfc7866/8.1.1/1", "rfc7866/9.2/3",
	"rfc7866/12/1", "rfc7866/12/2", "rfc7866/12/3",
}

func updateWithSDP(req *src.Message, r *model.Response) {
	if req.Method == "UPDATE" {
		r.SDP = "v=0\r\no=- 77 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
	}
}

func TestEveryCaseFailsOnAWrongServer(t *testing.T) {
	mistakes := wrong()
	maps.Copy(mistakes, wrongDialogs())
	maps.Copy(mistakes, wrongBodies())
	maps.Copy(mistakes, wrongStreams())
	for _, c := range conformance.All() {
		mistake, listed := mistakes[c.ID]
		if listed == slices.Contains(byConfiguration, c.ID) {
			t.Errorf("%s has no server that it must blame, or two", c.ID)
		}
		if !listed {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			blame(t, c, model.Config{Network: "udp", Alter: mistake}, 5*time.Second)
		})
	}
}

func TestServerThatRepeatsNothing(t *testing.T) {
	for _, c := range conformance.All() {
		if c.ID == "rfc3261/17.2.1/1" || c.ID == "rfc3261/13.3.1.4/1" {
			t.Run(c.ID, func(t *testing.T) {
				cfg := model.Config{Network: "udp", T1: time.Hour, Drop: func(_ *src.Message, nth int) bool { return nth > 1 }}
				blame(t, c, cfg, time.Second)
			})
		}
	}
}

// blame runs one case against a wrong server; only the server may be blamed.
func blame(t *testing.T, c check.Case, cfg model.Config, timeout time.Duration) {
	t.Helper()
	target := start(t, cfg)
	r, err := conformance.Run(t.Context(), target, conformance.Options{Cases: []check.Case{c}, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	messages := c.ID != "rfc7866/12/3" // which is about the handshake before the first
	if got := r.Results[0]; got.Outcome != check.Fail || messages && len(got.Trace) == 0 {
		t.Errorf("outcome %s %v with a trace of %d messages, want fail", got.Outcome, got.Messages, len(got.Trace))
	}
}
