package dialects

import (
	"encoding/base64"
	"hash/fnv"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// names fills the words of a text that are not the same in two calls. {id:x} is 16
// random octets in base64 (RFC 7865 §6.10), {text:x} so many letters in base64, {uuid:x}
// and {hex:x} are 128 and 80 bits, and {number:x} has 18 digits: each of them is the same
// for the same x within one call. {now}, {bare}, {zone} and {offset} are the time of the
// call in UTC, without a zone, with one, and with one of RFC 3339.
type names struct {
	ids   *src.IDs
	at    time.Time
	given map[string]string // 32 hexadecimal digits, by kind and name
}

var word = regexp.MustCompile(`\{(?:(id|text|uuid|hex|number):([a-z0-9]+)|(now|bare|zone|offset))\}`)

func newNames() *names {
	at := time.Now()
	return &names{ids: src.NewIDs(uint64(at.UnixNano())), at: at, given: make(map[string]string)}
}

func (n *names) fill(text string) string {
	return word.ReplaceAllStringFunc(text, func(found string) string {
		m := word.FindStringSubmatch(found)
		if m[3] != "" {
			return n.time(m[3])
		}
		return n.name(m[1], m[2])
	})
}

func (n *names) time(kind string) string {
	switch kind {
	case "bare":
		return n.at.Format("2006-01-02T15:04:05")
	case "zone":
		return n.at.In(time.FixedZone("", 7200)).Format("2006-01-02T15:04:05-0700")
	case "offset":
		return n.at.UTC().Format("2006-01-02T15:04:05") + "+00:00"
	}
	return n.at.UTC().Format("2006-01-02T15:04:05.000Z")
}

func (n *names) name(kind, of string) string {
	digits := n.given[of]
	if digits == "" {
		digits = n.ids.UUID()
		n.given[of] = digits
	}
	switch kind {
	case "id":
		sum := fnv.New128a()
		sum.Write([]byte(digits))
		return base64.StdEncoding.EncodeToString(sum.Sum(nil))
	case "text":
		return base64.StdEncoding.EncodeToString([]byte(digits[:8] + "-" + digits[8:12] + "-" + digits[12:14]))
	case "uuid":
		return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:]
	case "number":
		sum := fnv.New64a()
		sum.Write([]byte(digits))
		return strconv.FormatUint(sum.Sum64()%9e17+1e17, 10)
	}
	return digits[:20]
}

// request is what a step sends.
func (n *names) request(t *check.T, s step) src.Request {
	r := s.request
	if s.document != "" {
		text, err := fs.ReadFile(documents, "documents/"+s.document+".xml")
		t.Check(err, "read the document")
		r.Metadata = text
	}
	if r.Metadata != nil {
		r.Metadata = []byte(n.fill(string(r.Metadata)))
	}
	if r.Body != nil {
		r.Body = []byte(n.fill(string(r.Body)))
	}
	r.SDP, r.From = n.fill(r.SDP), n.fill(r.From)
	r.Headers = slices.Clone(r.Headers)
	for i, h := range r.Headers {
		r.Headers[i].Value = n.fill(h.Value)
	}
	return r
}

// headers are header fields, a line each.
func headers(lines ...string) []src.Header {
	var out []src.Header
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ":")
		out = append(out, src.Header{Name: name, Value: strings.TrimSpace(value)})
	}
	return out
}

// replaced makes an Edit of pairs: each first text, once, becomes the second.
func replaced(pairs ...string) func(string) string {
	return func(text string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			text = strings.Replace(text, pairs[i], pairs[i+1], 1)
		}
		return text
	}
}
