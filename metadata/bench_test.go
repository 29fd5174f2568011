package metadata_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/siprecd/siprecd/metadata"
)

// large builds a document of about n octets.
func large(n int) string {
	var parts []string
	for size, i := 0, 0; size < n; i++ {
		p, s := fmt.Sprintf("P-%d", i), fmt.Sprintf("M-%d", i)
		part := person(p, "sip:user@example.com") + stream(s, cs1, fmt.Sprint(i)) + member(p, cs1, joins) + media(p, l(s), nil)
		parts = append(parts, part)
		size += len(part)
	}
	return complete(comm(cs1), strings.Join(parts, "\n"))
}

func BenchmarkDecode(b *testing.B) {
	for name, xml := range map[string]string{"2kB": mixed() + strings.Repeat(" ", 500), "100kB": large(100_000)} {
		b.Run(name, func(b *testing.B) {
			raw := []byte(strings.TrimSpace(xml))
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := metadata.Decode(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"-etree", func(b *testing.B) {
			raw := []byte(strings.TrimSpace(xml))
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if err := etree.NewDocument().ReadFromBytes(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	for name, xml := range map[string]string{"2kB": mixed(), "100kB": large(100_000)} {
		b.Run(name, func(b *testing.B) {
			d := decode(b, xml)
			b.ReportAllocs()
			for b.Loop() {
				metadata.New().Apply(d, instant(1), lines("11", "12"))
			}
		})
	}
}
