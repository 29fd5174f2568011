package metadata_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

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

// twoKilobytes are documents of 2 kB, of the standard and with extension data.
func twoKilobytes(tb testing.TB) map[string][]byte {
	docs := map[string][]byte{
		"rfc":        []byte(basic()),
		"extensions": []byte(broadDocument("1", userAOR, farAOR, termCall, queue+redirect)),
	}
	for name, doc := range docs {
		if len(doc) < 1900 || len(doc) > 2300 {
			tb.Fatalf("the document %s has %d octets", name, len(doc))
		}
	}
	return docs
}

func benchmarkDecode(b *testing.B, raw []byte) {
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := metadata.Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkEtree(b *testing.B, raw []byte) {
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if err := etree.NewDocument().ReadFromBytes(raw); err != nil {
			b.Fatal(err)
		}
	}
}

// Decode takes at most twice the time that etree alone needs for 2 kB.
func BenchmarkDecode2k(b *testing.B) {
	for name, raw := range twoKilobytes(b) {
		b.Run(name, func(b *testing.B) { benchmarkDecode(b, raw) })
	}
}

func BenchmarkEtree2k(b *testing.B) {
	for name, raw := range twoKilobytes(b) {
		b.Run(name, func(b *testing.B) { benchmarkEtree(b, raw) })
	}
}

// Decode takes less than 5 ms for 100 kB.
func BenchmarkDecode100k(b *testing.B) { benchmarkDecode(b, []byte(large(100_000))) }
func BenchmarkEtree100k(b *testing.B)  { benchmarkEtree(b, []byte(large(100_000))) }

func BenchmarkFacts2k(b *testing.B) {
	d := decode(b, string(twoKilobytes(b)["extensions"]))
	b.ReportAllocs()
	for b.Loop() {
		d.Facts()
	}
}

func BenchmarkApply(b *testing.B) {
	for name, xml := range map[string]string{"2kB": basic(), "100kB": large(100_000)} {
		b.Run(name, func(b *testing.B) {
			d := decode(b, xml)
			b.ReportAllocs()
			for b.Loop() {
				metadata.New().Apply(d, instant(1), fourLines())
			}
		})
	}
}

// BenchmarkDecodeOverEtree measures both in turn, so that what else the machine
// does touches both, and reports how many times as long Decode takes; it is to be
// at most twice.
func BenchmarkDecodeOverEtree(b *testing.B) {
	for name, raw := range twoKilobytes(b) {
		b.Run(name, func(b *testing.B) {
			var ours, theirs time.Duration
			for b.Loop() {
				start := time.Now()
				_ = etree.NewDocument().ReadFromBytes(raw)
				between := time.Now()
				_, _ = metadata.Decode(raw)
				theirs += between.Sub(start)
				ours += time.Since(between)
			}
			b.ReportMetric(float64(ours)/float64(theirs), "times-etree")
		})
	}
}
