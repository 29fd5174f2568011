package src_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

// desk is whose password the servers of these tests take.
func desk() *model.Account { return &model.Account{Name: "desk", Password: "opens"} }

func credentials(t *testing.T, password string) *src.Credentials {
	t.Helper()
	c, err := src.NewCredentials(desk().Name, password)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// came are the requests of a method at a server, repetitions left out.
func came(s *model.Server, method string) (list []*src.Message) {
	branches := make(map[string]bool)
	for _, m := range s.Received() {
		if m.Method == method && !branches[m.Branch()] {
			branches[m.Branch()] = true
			list = append(list, m)
		}
	}
	return list
}

// TestLogin: the first request of all is challenged and sent again with another number
// and branch; those after it say the password ahead.
func TestLogin(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			server, client := pair(t, model.Config{Network: network, Asks: true, AsksAlways: true, Account: desk()},
				src.Config{Credentials: credentials(t, desk().Password)})
			d := invite(t, client, src.Request{})
			status(t, 200)(d.Final(), nil)
			status(t, 200)(d.Reinvite(deadline(t), src.Request{Streams: d.Offers()}))
			status(t, 200)(d.Update(deadline(t), src.Request{}))
			status(t, 200)(d.Options(deadline(t), src.Request{}))
			status(t, 200)(client.Options(deadline(t), src.Request{}))
			status(t, 200)(d.Bye(deadline(t), src.Request{}))
			d.Close()
			invites := came(server, "INVITE")
			if len(invites) != 3 {
				t.Fatalf("%d INVITEs came", len(invites))
			}
			first, second := invites[0], invites[1]
			if n, _ := second.CSeq(); n != 2 || first.Has("Authorization") || !second.Has("Authorization") || first.Get("Call-ID") != second.Get("Call-ID") ||
				first.Get("From") != second.Get("From") || second.Get("To") != first.Get("To") || string(first.Body) != string(second.Body) {
				t.Errorf("sent again as\n%s", second.Raw)
			}
			acks := came(server, "ACK")
			if len(acks) != 3 || acks[0].Branch() != first.Branch() || acks[0].Get("CSeq") != "1 ACK" || acks[0].Has("Authorization") {
				t.Errorf("%d ACKs, the first\n%s", len(acks), acks[0].Raw)
			}
			if got, want := acks[1].Get("Authorization"), second.Get("Authorization"); got != want {
				t.Errorf("the ACK of the 200 says %s, its INVITE %s", got, want)
			}
			for method, want := range map[string]int{"UPDATE": 1, "OPTIONS": 2, "BYE": 1} {
				if got := came(server, method); len(got) != want || !got[0].Has("Authorization") {
					t.Errorf("%d of %s came, the first\n%s", len(got), method, got[0].Raw)
				}
			}
		})
	}
}

// TestLoginNotSaid: no password is said by who has none, does not want to, or says
// another, and none in CANCEL.
func TestLoginNotSaid(t *testing.T) {
	server, client := pair(t, model.Config{Network: "udp", Asks: true, Account: desk()}, src.Config{Credentials: credentials(t, desk().Password)})
	d := invite(t, client, src.Request{NoCredentials: true})
	status(t, 401)(d.Final(), nil)
	d = invite(t, client, src.Request{Headers: []src.Header{{Name: "authorization", Value: "Basic x"}}})
	status(t, 401)(d.Final(), nil)
	if n := len(came(server, "INVITE")); n != 2 {
		t.Errorf("%d INVITEs came", n)
	}
	d = invite(t, client, src.Request{})
	status(t, 200)(d.Final(), nil)
	if _, err := d.Cancel(deadline(t)); err != nil {
		t.Fatal(err)
	}
	last := came(server, "INVITE")[3]
	if cancel := came(server, "CANCEL")[0]; cancel.Has("Authorization") || cancel.Branch() != last.Branch() || cancel.Get("CSeq") != "2 CANCEL" {
		t.Errorf("CANCEL is\n%s", cancel.Raw)
	}
}

// challenging answers every INVITE by the nth of some challenges, the last one again and
// again.
func challenging(status int, values ...string) model.Config {
	n := 0
	name := "WWW-Authenticate"
	if status == 407 {
		name = "Proxy-Authenticate"
	}
	return model.Config{Network: "udp", Alter: func(req *src.Message, r *model.Response) {
		if req.Method != "INVITE" {
			return
		}
		r.Status, r.SDP = status, ""
		r.Set(name, values[min(n, len(values)-1)])
		n++
	}}
}

// TestLoginEnds: nobody is asked for ever. A nonce is answered once, a wrong password is
// said once, and one that was stale twice.
func TestLoginEnds(t *testing.T) {
	digest := func(nonce, more string) string {
		return fmt.Sprintf(`Digest realm="r", nonce="%s", qop="auth"%s`, nonce, more)
	}
	for _, tt := range []struct {
		name string
		cfg  model.Config
		want int // INVITEs
	}{
		{"wrong password", model.Config{Network: "udp", Asks: true, Account: &model.Account{Name: "desk", Password: "other"}}, 2},
		{"another nonce each time", challenging(401, digest("a", ""), digest("b", ""), digest("c", "")), 2},
		{"one nonce for ever", challenging(401, digest("a", ", stale=true")), 2},
		{"stale for ever", challenging(401, digest("a", ""), digest("b", ", stale=TRUE"), digest("c", ", stale=true"), digest("d", ", stale=true")), 3},
		{"by a proxy", challenging(407, digest("a", ""), digest("b", "")), 2},
		{"unknown algorithm", challenging(401, digest("a", ", algorithm=SHA3-256")), 1},
		{"integrity only", challenging(401, `Digest realm="r", nonce="a", qop="auth-int"`), 1},
		{"Basic", challenging(401, `Basic realm="r"`), 1},
		{"no challenge", model.Config{Network: "udp", Alter: func(req *src.Message, r *model.Response) {
			if req.Method == "INVITE" {
				r.Status, r.SDP = 401, ""
			}
		}}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server, client := pair(t, tt.cfg, src.Config{Credentials: credentials(t, "opens")})
			d := invite(t, client, src.Request{})
			if s := d.Final().Status; s != 401 && s != 407 {
				t.Errorf("the last answer is %d", s)
			}
			sent := came(server, "INVITE")
			if len(sent) != tt.want {
				t.Errorf("%d INVITEs came, want %d", len(sent), tt.want)
			}
			if n := len(came(server, "ACK")); n > len(sent) {
				t.Errorf("%d ACKs for %d INVITEs", n, len(sent))
			}
			if name := "Proxy-Authorization"; len(sent) > 1 && sent[1].Has(name) != (d.Final().Status == 407) {
				t.Errorf("sent again as\n%s", sent[1].Raw)
			}
			// What was refused is not said ahead.
			before := len(sent)
			invite(t, client, src.Request{})
			if next := came(server, "INVITE")[before]; next.Has("Authorization") || next.Has("Proxy-Authorization") {
				t.Errorf("said again\n%s", next.Raw)
			}
		})
	}
}

// TestLoginTakesTheStrongest: of several challenges one of each realm is answered.
func TestLoginTakesTheStrongest(t *testing.T) {
	cfg := challenging(401, "")
	alter := cfg.Alter
	cfg.Alter = func(req *src.Message, r *model.Response) {
		alter(req, r)
		r.Remove("WWW-Authenticate")
		for i, algorithm := range []string{"MD5", "SHA3-512", "SHA-256", "MD5-sess"} {
			r.Headers = append(r.Headers, src.Header{Name: "WWW-Authenticate", Value: fmt.Sprintf(`Digest realm="r", nonce="n%d", qop="auth", algorithm=%s`, i, algorithm)})
		}
		r.Headers = append(r.Headers, src.Header{Name: "WWW-Authenticate", Value: `Digest realm="other", nonce="o"`})
	}
	server, client := pair(t, cfg, src.Config{Credentials: credentials(t, "opens")})
	invite(t, client, src.Request{})
	said := came(server, "INVITE")[1].All("Authorization")
	if len(said) != 2 || !strings.Contains(said[0], "algorithm=SHA-256") || !strings.Contains(said[1], `realm="other"`) {
		t.Errorf("said %v", said)
	}
}

// TestLoginAcknowledgesAgain: a challenge whose ACK is lost comes again, and is
// acknowledged again and told to nobody.
func TestLoginAcknowledgesAgain(t *testing.T) {
	cfg := model.Config{Network: "udp", Asks: true, Account: desk(), Drop: func(req *src.Message, nth int) bool {
		return req.Method == "ACK" && req.Get("CSeq") == "1 ACK" && nth == 1
	}}
	server, client := pair(t, cfg, src.Config{Credentials: credentials(t, desk().Password)})
	d := invite(t, client, src.Request{})
	status(t, 200)(d.Final(), nil)
	branch := came(server, "INVITE")[0].Branch()
	acknowledged := func() int {
		n := 0
		for _, m := range server.Received() {
			if m.Method == "ACK" && m.Branch() == branch {
				n++
			}
		}
		return n
	}
	for n := 1; acknowledged() < 2; n++ {
		if _, err := server.Wait(deadline(t), "ACK", n); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.Repeated()) > 0 || len(client.Unexpected()) > 0 {
		t.Errorf("%d repetitions, %d unexpected messages", len(d.Repeated()), len(client.Unexpected()))
	}
}

// TestLoginIsShared: what one SRC was asked another answers ahead, with another count.
func TestLoginIsShared(t *testing.T) {
	shared := credentials(t, desk().Password)
	server, first := pair(t, model.Config{Network: "udp", Asks: true, Account: desk()}, src.Config{Credentials: shared})
	second, err := src.New(t.Context(), src.Config{Target: server.Addr(), Credentials: shared})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := second.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, c := range []*src.SRC{first, second, first} {
		status(t, 200)(invite(t, c, src.Request{}).Final(), nil)
	}
	var counts []string
	for _, m := range came(server, "INVITE") {
		_, count, _ := strings.Cut(m.Get("Authorization"), "nc=")
		counts = append(counts, count)
	}
	if want := []string{"", "00000001", "00000002", "00000003"}; !slices.Equal(counts, want) {
		t.Errorf("counts are %q", counts)
	}
}

// TestLoginWithoutQop: a nonce without a count is used once, and not ahead.
func TestLoginWithoutQop(t *testing.T) {
	server, client := pair(t, model.Config{Network: "udp", Alter: func(req *src.Message, r *model.Response) {
		if req.Method == "INVITE" && !req.Has("Authorization") {
			r.Status, r.SDP = 401, ""
			r.Set("WWW-Authenticate", `Digest realm="r", nonce="`+req.Branch()+`"`)
		}
	}}, src.Config{Credentials: credentials(t, "opens")})
	for range 2 {
		status(t, 200)(invite(t, client, src.Request{}).Final(), nil)
	}
	for i, m := range came(server, "INVITE") {
		if m.Has("Authorization") != (i%2 == 1) {
			t.Errorf("INVITE %d came as\n%s", i, m.Raw)
		}
	}
}

// TestLoginOfAChosenNumber: an INVITE whose CSeq was chosen is sent again with the next
// one, and a request of a dialog with the same.
func TestLoginOfAChosenNumber(t *testing.T) {
	server, client := pair(t, challenging(401, `Digest realm="r", nonce="a", qop="auth"`), src.Config{Credentials: credentials(t, "opens")})
	invite(t, client, src.Request{CSeq: 70})
	invite(t, client, src.Request{CSeq: 70, ToTag: "known"})
	var numbers []uint32
	for _, m := range came(server, "INVITE") {
		n, _ := m.CSeq()
		numbers = append(numbers, n)
	}
	if want := []uint32{70, 71, 70, 70}; !slices.Equal(numbers, want) {
		t.Errorf("numbers are %d", numbers)
	}
}
