package rules_test

import (
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules"
)

func TestAddress(t *testing.T) {
	german := rules.Numbering{CountryCode: "49", Trunk: "0"}
	american := rules.Numbering{CountryCode: "1", Trunk: "1", International: "011", National: 10}
	tests := []struct {
		name string
		plan rules.Numbering
		raw  string
		want rules.Address
	}{
		{"sip", rules.Numbering{}, "sip:anna@Contact.Example:5060;transport=tcp", rules.Address{User: "anna", Host: "contact.example"}},
		{"sips and headers", rules.Numbering{}, "sips:anna:secret@contact.example?subject=x", rules.Address{User: "anna", Host: "contact.example"}},
		{"final dot", rules.Numbering{}, "sip:anna@contact.example.", rules.Address{User: "anna", Host: "contact.example"}},
		{"escaped user", rules.Numbering{}, "sip:%61nna@h.example", rules.Address{User: "anna", Host: "h.example"}},
		{"badly escaped user", rules.Numbering{}, "sip:%zz@h.example", rules.Address{User: "%zz", Host: "h.example"}},
		{"at sign in the user", rules.Numbering{}, "sip:a@b@h.example", rules.Address{User: "a@b", Host: "h.example"}},
		{"IPv6", rules.Numbering{}, "sip:1002@[2001:db8::1]:5060", rules.Address{User: "1002", Host: "2001:db8::1", Number: "1002"}},
		{"tel with separators", rules.Numbering{}, "tel:+1-555-(01).00", rules.Address{User: "+1-555-(01).00", Number: "+15550100", Phone: true}},
		{"tel with extension", rules.Numbering{}, "tel:+15550100;ext=12", rules.Address{User: "+15550100", Number: "+15550100;ext=12", Phone: true}},
		{"tel with local context", rules.Numbering{}, "tel:7042;phone-context=Pbx.Example", rules.Address{User: "7042", Host: "pbx.example", Number: "7042", Phone: true}},
		{"tel with global context", rules.Numbering{}, "tel:0100;phone-context=+1555", rules.Address{User: "0100", Number: "+15550100", Phone: true}},
		{"user=phone", rules.Numbering{}, "sip:+15550100@gw.example;user=phone", rules.Address{User: "+15550100", Host: "gw.example", Number: "+15550100", Phone: true}},
		{"parameters of the number", rules.Numbering{}, "sip:+15550100;npdi;rn=1@gw.example", rules.Address{User: "+15550100", Host: "gw.example", Number: "+15550100"}},
		{"display name", rules.Numbering{}, `"Anna <A>" <sip:1002@pbx.example>;tag=1`, rules.Address{User: "1002", Host: "pbx.example", Number: "1002"}},
		{"schemeless", rules.Numbering{}, "+15550100@pbx.example", rules.Address{User: "+15550100", Host: "pbx.example", Number: "+15550100"}},
		{"bare number", rules.Numbering{}, " 15550100 ", rules.Address{User: "15550100", Number: "15550100"}},
		{"sip with a lone number", rules.Numbering{}, "sip:15550100", rules.Address{User: "15550100", Number: "15550100"}},
		{"host", rules.Numbering{}, "Conference.example", rules.Address{Host: "conference.example"}},
		{"IP address", rules.Numbering{}, "192.0.2.1", rules.Address{Host: "192.0.2.1"}},
		{"no user", rules.Numbering{}, "sip:@pbx.example", rules.Address{Host: "pbx.example"}},
		{"dots in a user are a name", rules.Numbering{}, "sip:1.2@pbx.example", rules.Address{User: "1.2", Host: "pbx.example"}},
		{"IMS", rules.Numbering{}, "sip:15550100123@ims.mnc001.mcc001.3gppnetwork.org;noa=international", rules.Address{User: "15550100123", Host: "ims.mnc001.mcc001.3gppnetwork.org", Number: "+15550100123"}},
		{"service", rules.Numbering{}, "urn:service:SOS", rules.Address{Urn: "urn:service:sos"}},
		{"unknown scheme is a host", rules.Numbering{}, "im:anna", rules.Address{Host: "im"}},
		{"a host named like a scheme", rules.Numbering{}, "tel", rules.Address{Host: "tel"}},
		{"a host named like services", rules.Numbering{}, "URN", rules.Address{Host: "urn"}},
		{"a bracket that closes nothing", rules.Numbering{}, "sip:an>na@h.example", rules.Address{User: "an>na", Host: "h.example"}},
		{"empty", rules.Numbering{}, "", rules.Address{}},
		{"a trunk prefix alone", german, "tel:0", rules.Address{User: "0", Number: "0", Phone: true}},
		{"neither trunk prefix nor length", rules.Numbering{CountryCode: "49"}, "tel:305550100", rules.Address{User: "305550100", Number: "305550100", Phone: true}},
		{"only a plus", rules.Numbering{}, "sip:+@h.example", rules.Address{User: "+", Host: "h.example"}},
		{"00", rules.Numbering{}, "tel:0015550100", rules.Address{User: "0015550100", Number: "+15550100", Phone: true}},
		{"00 of an extension", rules.Numbering{}, "tel:00123", rules.Address{User: "00123", Number: "00123", Phone: true}},
		{"trunk", german, "tel:0305550100", rules.Address{User: "0305550100", Number: "+49305550100", Phone: true}},
		{"no trunk, no length", german, "tel:305550100", rules.Address{User: "305550100", Number: "305550100", Phone: true}},
		{"American trunk", american, "tel:15555550100", rules.Address{User: "15555550100", Number: "+15555550100", Phone: true}},
		{"American national", american, "tel:5555550100", rules.Address{User: "5555550100", Number: "+15555550100", Phone: true}},
		{"American international", american, "tel:01149305550100", rules.Address{User: "01149305550100", Number: "+49305550100", Phone: true}},
		{"country code without +", rules.Numbering{CountryCode: "44", National: 10}, "tel:445555550100", rules.Address{User: "445555550100", Number: "+445555550100", Phone: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.plan.Address(tt.raw); got != tt.want {
				t.Errorf("%q: %+v, want %+v", tt.raw, got, tt.want)
			}
		})
	}
}

func TestSameAddress(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"sip:Anna@pbx.example", "anna@PBX.example", true},
		{"sip:anna@pbx.example", "sip:anna@other.example", false},
		{"sip:anna@pbx.example", "sip:bert@pbx.example", false},
		{"tel:+1-555-0100", "sip:+15550100@gw.example;user=phone", true},
		{"sip:+15550100@a.example", "sip:+15550100@b.example", false}, // too short to be whole
		{"sip:+155555550100@a.example", "sip:+155555550100@b.example", true},
		{"tel:+155555550100", "tel:155555550100", true},
		{"tel:+5555550100", "tel:5555550100", false}, // may be national
		{"tel:+155555550100", "tel:5555550100", false},
		{"tel:5550100", "tel:0100", false},
		{"sip:1002@a.example", "sip:1002@b.example", false},
		{"sip:1002@a.example", "1002", true},
		{"tel:+155555550100;ext=1", "tel:+155555550100;ext=2", false},
		{"sip:1002@a.example", "sip:anna@a.example", false},
		{"urn:service:sos", "URN:service:sos", true},
		{"urn:service:sos", "sip:sos@a.example", false},
		{"pbx.example", "sip:@pbx.example", true},
		{"pbx.example", "sip:anna@pbx.example", false},
		{"", "", false},
	}
	for _, tt := range tests {
		a, b := rules.Numbering{}.Address(tt.a), rules.Numbering{}.Address(tt.b)
		if a.Same(b) != tt.want || b.Same(a) != tt.want {
			t.Errorf("%q and %q: %v, want %v", tt.a, tt.b, !tt.want, tt.want)
		}
	}
}

// Two numbers that differ in more than how they are written are never the same.
func FuzzSameNumbers(f *testing.F) {
	f.Add("+15550100", "15550100")
	f.Add("5550100", "0100")
	f.Add("+155555550100", "0155555550100")
	f.Fuzz(func(t *testing.T, x, y string) {
		a, b := rules.Numbering{}.Address("tel:"+x), rules.Numbering{}.Address("tel:"+y)
		if a.Number == "" || b.Number == "" || !a.Same(b) {
			return
		}
		if strings.TrimPrefix(a.Number, "+") != strings.TrimPrefix(b.Number, "+") {
			t.Errorf("%q and %q are the same", a.Number, b.Number)
		}
	})
}
