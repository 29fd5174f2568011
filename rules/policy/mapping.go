package policy

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/siprecd/siprecd/rules"
)

// DefaultAccount is where an interaction belongs that no rule places.
const DefaultAccount = "default"

// A Rule places interactions. All of its conditions have to be met; of the values
// of one condition, any. Patterns hold * for any text and ? for one character.
type Rule struct {
	Line        int
	Certificate []string // names of the certificate of the SRC
	Listener    []string // names of listeners
	Address     []netip.Prefix
	RequestURI  []string // user@host, or as it stands in the request
	Dialled     []string // numbers
	API         []string // what another system said of the interaction
	Header      []Named
	Field       []Named // of the extension data
	Account     string
	Trunk, Plan string // empty leaves it to later rules of the account
}

// Named is a condition on a header field or an extension field.
type Named struct {
	Name  string
	Value []string
}

// Traits are what is known of an interaction when it begins.
type Traits struct {
	Certificate []string
	Listener    string
	Address     netip.Addr
	RequestURI  string
	Dialled     []string // any of them counts
	API         string
	Header      map[string][]string
	Field       map[string][]string
}

// Belonging is where an interaction belongs.
type Belonging struct {
	Account, Trunk, Plan string
	// Lines are those of the rules that said so.
	Lines []int
	// Alarm is worth waking somebody: no rule matched, or the account is unknown.
	Alarm string
}

// Group keeps apart what two accounts call by one name.
func (b Belonging) Group(id string) string { return b.Account + "\x00" + id }

// Belongs places an interaction. The first rule that matches says the account, and
// the first of the rules of that account which matches and says one, the trunk and
// the plan.
func (f *File) Belongs(t Traits) Belonging {
	var b Belonging
	for _, r := range f.Mapping {
		if b.Account != "" && b.Account != r.Account || !r.matches(t) {
			continue
		}
		news := b.Account == ""
		b.Account = r.Account
		if b.Trunk == "" && r.Trunk != "" {
			b.Trunk, news = r.Trunk, true
		}
		if b.Plan == "" && r.Plan != "" {
			b.Plan, news = r.Plan, true
		}
		if news {
			b.Lines = append(b.Lines, r.Line)
		}
	}
	if b.Account == "" {
		b.Account, b.Alarm = DefaultAccount, "no rule of the mapping fits; it belongs to account "+DefaultAccount
	}
	return b
}

func (r Rule) matches(t Traits) bool {
	uri := rules.Numbering{}.Address(t.RequestURI)
	dialled := slices.Clone(t.Dialled)
	for _, d := range t.Dialled {
		dialled = append(dialled, rules.Numbering{}.Address(d).Number)
	}
	inside := func(p netip.Prefix) bool { return p.Contains(t.Address.Unmap()) }
	return fits(r.Certificate, t.Certificate...) &&
		fits(r.Listener, t.Listener) &&
		(len(r.Address) == 0 || slices.ContainsFunc(r.Address, inside)) &&
		fits(r.RequestURI, t.RequestURI, uri.User+"@"+uri.Host) &&
		fits(r.Dialled, dialled...) &&
		fits(r.API, t.API) &&
		allFit(r.Header, t.Header) && allFit(r.Field, t.Field)
}

// fits reports whether a pattern matches a value. No pattern is no condition; what
// is unknown fits none.
func fits(patterns []string, values ...string) bool {
	if len(patterns) == 0 {
		return true
	}
	for _, p := range patterns {
		for _, v := range values {
			if v != "" && glob(p).MatchString(v) {
				return true
			}
		}
	}
	return false
}

func allFit(conditions []Named, have map[string][]string) bool {
	for _, c := range conditions {
		var values []string
		for name, v := range have {
			if strings.EqualFold(name, c.Name) {
				values = append(values, v...)
			}
		}
		if !fits(c.Value, values...) {
			return false
		}
	}
	return true
}

// glob is a pattern as an expression that takes linear time.
func glob(pattern string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.ReplaceAll(strings.ReplaceAll(quoted, `\*`, `.*`), `\?`, `.`)
	return regexp.MustCompile(`(?is)\A` + quoted + `\z`)
}

func (r *reader) rule(node *yaml.Node) Rule {
	rule := Rule{Line: node.Line}
	r.mapping(node, "a rule of the mapping", map[string]func(*yaml.Node){
		"certificate": r.texts(&rule.Certificate, "certificate"),
		"listener":    r.texts(&rule.Listener, "listener"),
		"address": func(n *yaml.Node) {
			r.list(n, func(n *yaml.Node) { rule.Address = append(rule.Address, r.prefix(n)) })
		},
		"request-uri": r.texts(&rule.RequestURI, "request-uri"),
		"dialled":     func(n *yaml.Node) { r.dialled(n, &rule) },
		"api":         r.texts(&rule.API, "api"),
		"header":      func(n *yaml.Node) { rule.Header = append(rule.Header, r.namedCondition(n, "header")) },
		"field":       func(n *yaml.Node) { rule.Field = append(rule.Field, r.namedCondition(n, "field")) },
		"account":     r.text(&rule.Account, "account"),
		"trunk":       r.text(&rule.Trunk, "trunk"),
		"plan":        r.text(&rule.Plan, "plan"),
	})
	if rule.Account == "" {
		r.fault(node.Line, "a rule of the mapping without an account")
	}
	return rule
}

// dialled reads patterns of numbers, without what is only there for the eye.
func (r *reader) dialled(node *yaml.Node, rule *Rule) {
	var patterns []string
	r.texts(&patterns, "dialled")(node)
	for _, p := range patterns {
		bare := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "").Replace(p)
		if strings.Trim(bare, "0123456789*?") != "" && strings.Trim(bare, "0123456789*?") != "+" {
			r.fault(node.Line, "dialled: %s is no telephone number, nor a pattern of one", quoted(p))
		}
		rule.Dialled = append(rule.Dialled, bare)
	}
}

func (r *reader) namedCondition(node *yaml.Node, where string) Named {
	var c Named
	r.mapping(node, where, map[string]func(*yaml.Node){
		"name": r.text(&c.Name, "name"), "value": r.texts(&c.Value, "value"),
	})
	if c.Name == "" || len(c.Value) == 0 {
		r.fault(node.Line, "%s needs a name and a value", where)
	}
	return c
}

// prefix reads an address or a network.
func (r *reader) prefix(node *yaml.Node) netip.Prefix {
	text := r.scalar(node, "address")
	if text == "" {
		return netip.Prefix{}
	}
	p, err := netip.ParsePrefix(text)
	if a, wrong := netip.ParseAddr(text); wrong == nil {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	switch {
	case err != nil:
		r.fault(node.Line, "address: %s is neither an address nor a network", quoted(text))
	case p.Addr().Is4In6():
		r.fault(node.Line, "address: %s has to be written as an address of IPv4", quoted(text))
	}
	return p.Masked()
}
