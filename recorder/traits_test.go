package recorder

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/siprecd/siprecd/siprec"
)

// elsewhere is a recording session from another origin.
type elsewhere struct {
	*fake
	origin siprec.Origin
}

func (e elsewhere) Origin() siprec.Origin { return e.origin }

// TestTraitsOfTheOrigin: the mapping of a policy is told the names of the certificate,
// and the listener by its name or, without one, by its address.
func TestTraitsOfTheOrigin(t *testing.T) {
	origin := siprec.Origin{
		Transport: "TLS", Source: netip.MustParseAddrPort("192.0.2.9:40000"), Local: netip.MustParseAddrPort("192.0.2.1:5061"),
		Listener: "edge", Certificate: []string{"sbc", "sbc.example.com"},
	}
	for _, tt := range []struct{ name, want string }{{"edge", "edge"}, {"", "192.0.2.1:5061"}} {
		origin.Listener = tt.name
		l := &leg{rs: elsewhere{&fake{t: t}, origin}, people: newPeople()}
		got := l.traits(&siprec.Event{Kind: siprec.Offered})
		if got.Listener != tt.want || !slices.Equal(got.Certificate, origin.Certificate) || got.Address != origin.Source.Addr() {
			t.Errorf("traits are %+v", got)
		}
	}
}
