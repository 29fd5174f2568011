package rules_test

import (
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules"
)

// A number that just fits a plan is read by it, and one digit more or less is not.
func TestNumbersAtTheEdge(t *testing.T) {
	german := rules.Numbering{CountryCode: "49", Trunk: "0"}
	american := rules.Numbering{CountryCode: "1", Trunk: "1", National: 10, International: "011"}
	british := rules.Numbering{CountryCode: "44", National: 10}
	for _, tt := range []struct {
		name string
		plan rules.Numbering
		raw  string
		want string
	}{
		{"eight digits after 00", rules.Numbering{}, "tel:0012345678", "+12345678"},
		{"seven digits after 00", rules.Numbering{}, "tel:001234567", "001234567"},
		{"eight digits after the trunk prefix", german, "tel:012345678", "+4912345678"},
		{"seven digits after the trunk prefix", german, "tel:01234567", "01234567"},
		{"a trunk prefix, and a digit too few", american, "tel:155555501", "155555501"},
		{"a trunk prefix, and a digit too many", american, "tel:155555501000", "155555501000"},
		{"a national number without trunk prefix", british, "tel:5555550100", "+445555550100"},
		{"a digit too few for a national number", british, "tel:555555010", "555555010"},
		{"a digit too many for a national number", british, "tel:55555501000", "55555501000"},
		{"a country code, and a digit too few", british, "tel:44555555010", "44555555010"},
		{"a country code where the length is not known", german, "tel:49305550100", "49305550100"},
		{"international, eight digits", rules.Numbering{}, "sip:12345678@h.example;noa=international", "+12345678"},
		{"international, seven digits", rules.Numbering{}, "sip:1234567@h.example;noa=international", "1234567"},
		{"a + counts, whatever the context", rules.Numbering{}, "tel:+15550100;phone-context=+49", "+15550100"},
		{"a context", rules.Numbering{}, "tel:5550100;phone-context=+1-555", "+15555550100"},
		{"no plan without country code", rules.Numbering{Trunk: "0", National: 10}, "tel:05555550100", "05555550100"},
		{"a + in the middle", rules.Numbering{}, "tel:1+5550100", ""},
		{"dots of a tel URI", rules.Numbering{}, "tel:+1.555.0100", "+15550100"},
		{"hard spaces", rules.Numbering{}, "tel:+1\u00a0555\u00a00100", "+15550100"},
		{"user=phone of a lone number", rules.Numbering{}, "sip:5550100;user=phone", "5550100"},
	} {
		if got := tt.plan.Address(tt.raw).Number; got != tt.want {
			t.Errorf("%s: %q is %q, want %q", tt.name, tt.raw, got, tt.want)
		}
	}
	for raw, want := range map[string]rules.Address{
		"sip:5550100;user=phone":              {User: "5550100", Number: "5550100", Phone: true},
		"sip:5550100":                         {User: "5550100", Number: "5550100"},
		"sip:anna@x.example@pbx.example":      {User: "anna@x.example", Host: "pbx.example"},
		"<sip:anna@pbx.example>":              {User: "anna", Host: "pbx.example"},
		"sip:anna@[2001:db8::1]:5060":         {User: "anna", Host: "2001:db8::1"},
		"sip:anna@2001:db8::1":                {User: "anna", Host: "2001:db8::1"},
		"sip:anna@pbx.example.:5060;x=1":      {User: "anna", Host: "pbx.example"},
		"tel: 5550100 ;phone-context=example": {User: "5550100", Host: "example", Number: "5550100", Phone: true},
		"sip:an%6ea:secret@pbx.example?x=y":   {User: "anna", Host: "pbx.example"},
		"sip:100%@pbx.example":                {User: "100%", Host: "pbx.example"},
		"anna:secret@pbx.example":             {User: "anna", Host: "pbx.example"},
	} {
		if got := (rules.Numbering{}).Address(raw); got != want {
			t.Errorf("%q: %+v, want %+v", raw, got, want)
		}
	}
}

// Nobody is the same as nobody, and a service is not the host of its name.
func TestNotTheSame(t *testing.T) {
	for _, tt := range [][2]string{
		{"urn:service:sos", ""}, {"urn:service:sos", "urn:service:fire"}, {"urn:service:sos", "sos"},
		{"", "pbx.example"}, {"pbx.example", "other.example"}, {"sip:anna@pbx.example", ""},
		{"sip:anna@pbx.example", "sip:anna.b@pbx.example"}, {"sip:+1555501@a.example", "sip:+1555501@b.example"},
	} {
		a, b := rules.Numbering{}.Address(tt[0]), rules.Numbering{}.Address(tt[1])
		if a.Same(b) || b.Same(a) {
			t.Errorf("%q and %q are the same", tt[0], tt[1])
		}
	}
}

// Beside a party of the telephone network only a short number that is no
// emergency number belongs to the recorded side.
func TestShortBesideLong(t *testing.T) {
	for _, tt := range []struct {
		short, long string
		want        rules.Role
	}{
		{"100@h.example", "+15555550170@h.example", rules.RoleAgent},
		{"100000@h.example", "+15555550170@h.example", rules.RoleAgent},
		{"10@h.example", "+15555550170@h.example", rules.RoleUnknown},
		{"1000000@h.example", "+15555550170@h.example", rules.RoleUnknown},
		{"112@h.example", "+15555550170@h.example", rules.RoleUnknown},
		{"+100@h.example", "+15555550170@h.example", rules.RoleUnknown},
		{"100@h.example", "123456789@h.example", rules.RoleAgent},
		{"100@h.example", "12345678@h.example", rules.RoleUnknown},
		{"100@h.example", "+1234567@h.example", rules.RoleAgent},
		{"100@h.example", "anna@h.example", rules.RoleUnknown},
	} {
		c := newCall(t, rules.Directory{}, rules.Profile{}).say(0, l2(tt.long, tt.short))
		if got := c.who(tt.short); got.Role != tt.want {
			t.Errorf("%s beside %s is %v, want %v (%s)", tt.short, tt.long, got.Role, tt.want, got.Evidence)
		}
	}
}

// Each thing that a directory may get wrong is told by itself, and what is right
// is not.
func TestCheckOneByOne(t *testing.T) {
	anna := []string{"sip:anna@contact.example"}
	profile := func(p rules.Profile) rules.Directory {
		p.Name = "p"
		return rules.Directory{Profiles: []rules.Profile{p}}
	}
	for _, tt := range []struct {
		name string
		d    rules.Directory
		want string
	}{
		{"own role", rules.Directory{InsideRole: rules.RoleUser}, ""},
		{"country code with +", rules.Directory{Numbering: rules.Numbering{CountryCode: "+49"}}, "numbering.country_code"},
		{"country code", rules.Directory{Numbering: rules.Numbering{CountryCode: "49", Trunk: "0", National: 15}}, ""},
		{"country code with a blank", rules.Directory{Numbering: rules.Numbering{CountryCode: "4 9"}}, "numbering.country_code"},
		{"trunk prefix alone", rules.Directory{Numbering: rules.Numbering{Trunk: "0"}}, "numbering:"},
		{"national length alone", rules.Directory{Numbering: rules.Numbering{National: 10}}, "numbering:"},
		{"negative length", rules.Directory{Numbering: rules.Numbering{CountryCode: "1", National: -1}}, "numbering.national_length"},
		{"length", rules.Directory{Numbering: rules.Numbering{CountryCode: "1", National: 16}}, "numbering.national_length"},
		{"nameless profile", rules.Directory{Profiles: []rules.Profile{{}}}, "profiles[0].name"},
		{"label", profile(rules.Profile{RecordedLabel: "1"}), ""},
		{"order", profile(rules.Profile{RecordedOrder: rules.OrderFirst}), ""},
		{"order and direction", profile(rules.Profile{RecordedOrder: rules.OrderFirst, Direction: rules.DirectionInbound}), ""},
		{"caller and direction", profile(rules.Profile{Caller: rules.OrderFirst, Direction: rules.DirectionOutbound}), ""},
		{"order and direction, outbound", profile(rules.Profile{RecordedOrder: rules.OrderFirst, Direction: rules.DirectionOutbound}), ""},
		{"a range with + at one end", rules.Directory{Inside: rules.Inside{Numbers: []string{"+1555-15556"}}}, "inside.numbers[0]"},
		{"a range without ends", rules.Directory{Inside: rules.Inside{Numbers: []string{"-"}}}, "inside.numbers[0]"},
		{"nothing known of the direction", profile(rules.Profile{RecordedOrder: rules.OrderFirst, Caller: rules.OrderSecond}), ""},
		{"the recorded user calls, outbound", profile(rules.Profile{RecordedOrder: rules.OrderFirst, Caller: rules.OrderFirst, Direction: rules.DirectionOutbound}), ""},
		{"the recorded user is called, outbound", profile(rules.Profile{RecordedOrder: rules.OrderFirst, Caller: rules.OrderSecond, Direction: rules.DirectionOutbound}), "profiles[0]: recorded_order"},
		{"the recorded user is called, inbound", profile(rules.Profile{RecordedOrder: rules.OrderFirst, Caller: rules.OrderSecond, Direction: rules.DirectionInbound}), ""},
		{"among own people", profile(rules.Profile{RecordedOrder: rules.OrderFirst, Caller: rules.OrderFirst, Direction: rules.DirectionInternal}), ""},
		{"a name", rules.Directory{Agents: []rules.Entry{{Name: "Anna", AORs: anna}}}, ""},
	} {
		problems := tt.d.Check()
		switch {
		case tt.want == "" && len(problems) > 0:
			t.Errorf("%s: %v", tt.name, problems)
		case tt.want != "" && (len(problems) != 1 || !strings.HasPrefix(problems[0].String(), tt.want)):
			t.Errorf("%s: %v, want one of %s", tt.name, problems, tt.want)
		}
	}
}
