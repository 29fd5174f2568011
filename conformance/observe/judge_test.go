package observe

import (
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// moved are samples with so many of silence put in before one.
func moved(in []int16, at, by int) []int16 {
	out := append([]int16(nil), in[:at]...)
	out = append(out, make([]int16, by)...)
	return append(out, in[at:]...)
}

// Each judgement finds what it is for, and says of whom and where.
func TestJudgements(t *testing.T) {
	nora, desk := speech("Nora", 0, 10), speech("Desk", 2, 10)
	a, b := recorded(t, 0, nora), recorded(t, 0, desk)
	secret := speech("Nora", 0, 10)
	secret.Parts[4].Kept = false
	damaged := append([]int16(nil), a...)
	damaged[5*Frame+100] += 7000
	aLaw := speech("Nora", 1, 3)
	for i := range aLaw.Parts {
		aLaw.Parts[i].Codec = src.PCMA()
	}
	asMuLaw := speech("Nora", 1, 3) // the same words under the other law
	for _, tt := range []struct {
		name    string
		files   map[string][]byte
		parties []Party
		judge   func(f *Found) []string
		want    string // empty: nothing is wrong
	}{
		{"the end is missing", map[string][]byte{"x.wav": wavOf(t, linear(), a[:7*Frame])}, []Party{nora}, (*Found).Complete, "of Nora, 3 of 10 packets are in no file: 7 to 9"},
		{"one is missing", map[string][]byte{"x.wav": wavOf(t, linear(), append(append([]int16(nil), a[:2*Frame]...), a[3*Frame:]...))}, []Party{nora}, (*Found).Complete, "of Nora, 1 of 10 packets are in no file: 2 "},
		{"one must not be there", map[string][]byte{"x.wav": wavOf(t, linear(), a)}, []Party{secret}, (*Found).Complete, "x.wav holds 1 packets of Nora that must not be kept: 4"},
		{"one is there twice", map[string][]byte{"x.wav": wavOf(t, linear(), append(append([]int16(nil), a...), a[3*Frame:4*Frame]...))}, []Party{nora}, (*Found).Complete, "x.wav holds 1 packets of Nora more than once: 3"},
		{"a second file is no second time", map[string][]byte{"x.wav": wavOf(t, linear(), a), "y.wav": wavOf(t, linear(), a)}, []Party{nora}, (*Found).Complete, ""},
		{"a sample is another", map[string][]byte{"x.wav": wavOf(t, linear(), damaged)}, []Party{nora}, (*Found).Exact, "1 packets of Nora are stored with other samples than were sent: 5"},
		{"the wrong law", map[string][]byte{"x.wav": wavOf(t, linear(), recorded(t, 0, asMuLaw))}, []Party{aLaw}, (*Found).Exact, "packets of Nora are stored with other samples than were sent"},
		{"the right law", map[string][]byte{"x.wav": wavOf(t, linear(), recorded(t, 0, aLaw))}, []Party{aLaw}, (*Found).Exact, ""},
		{"a gap too much", map[string][]byte{"x.wav": wavOf(t, linear(), moved(a, 6*Frame, 400))}, []Party{nora}, inPlace(20 * time.Millisecond), "x.wav has Nora from packet 6 on 50ms off its place"},
		{"a gap within what is allowed", map[string][]byte{"x.wav": wavOf(t, linear(), moved(a, 6*Frame, 100))}, []Party{nora}, inPlace(20 * time.Millisecond), ""},
		{"a gap too few", map[string][]byte{"x.wav": wavOf(t, linear(), make([]int16, len(a)), a)}, []Party{late(nora, 5, 800)}, inPlace(20 * time.Millisecond), "x.wav, channel 2 has Nora from packet 5 on -100ms off its place"},
		{"parties in one channel", map[string][]byte{"x.wav": wavOf(t, linear(), append(append([]int16(nil), a...), b...))}, []Party{nora, desk}, (*Found).Apart, "10 packets of Nora are only where others are heard too: 0 to 9"},
		{"parties out of step", map[string][]byte{"x.wav": wavOf(t, linear(), append(append([]int16(nil), a...), make([]int16, 800)...), moved(b, 0, 800))}, []Party{nora, desk}, together(50 * time.Millisecond), "Nora and Desk began at one instant and are 100ms apart"},
		{"names that are swapped", map[string][]byte{"01-nora.wav": wavOf(t, linear(), b), "02-desk.wav": wavOf(t, linear(), a)}, []Party{nora, desk}, (*Found).Named, "01-nora.wav is named after Nora and holds Desk"},
		{"names that are right", map[string][]byte{"01-nora.wav": wavOf(t, linear(), a), "02-desk.wav": wavOf(t, linear(), b)}, []Party{nora, desk}, (*Found).Named, ""},
		{"names that tell nothing", map[string][]byte{"nora+desk.wav": wavOf(t, linear(), b), "y.wav": wavOf(t, linear(), a)}, []Party{nora, desk}, (*Found).Named, ""},
		{"a run of samples", map[string][]byte{"x.wav": wavOf(t, linear(), a)}, []Party{nora}, contains(a[700:704]), "x.wav"},
		{"no such run", map[string][]byte{"x.wav": wavOf(t, linear(), a)}, []Party{nora}, contains(b[700:704]), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			problems := tt.judge(look(t, tt.files, tt.parties...))
			got := strings.Join(problems, "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func inPlace(within time.Duration) func(*Found) []string {
	return func(f *Found) []string { return f.InPlace(within) }
}

func together(within time.Duration) func(*Found) []string {
	return func(f *Found) []string { return f.Together(within) }
}

func contains(run []int16) func(*Found) []string {
	return func(f *Found) []string {
		if where := f.Contains(run); where != "" {
			return []string{where}
		}
		return nil
	}
}

// What must not be kept comes first, and what has to be is found all the same where
// samples cannot be compared; so is the last packet when a filter has cut off its end.
func TestKeptBehindWithheld(t *testing.T) {
	nora := speech("Nora", 0, 15)
	for i := range 10 {
		nora.Parts[i].Kept = false
	}
	kept := recorded(t, 0, Party{Parts: nora.Parts[10:]})
	wide := WAV{Format: FormatPCM, Rate: 16000, Bits: 16}
	cut := stretched(kept, 2)
	if p := look(t, map[string][]byte{"x.wav": wavOf(t, wide, cut[:len(cut)-30])}, nora).Complete(); len(p) > 0 {
		t.Error(p)
	}
	all := stretched(recorded(t, 0, nora), 2)
	p := look(t, map[string][]byte{"x.wav": wavOf(t, wide, all)}, nora).Complete()
	if len(p) != 1 || !strings.Contains(p[0], "holds 10 packets of Nora that must not be kept: 0 to 9") {
		t.Error(p)
	}
}

// late is a party who made a pause before a packet.
func late(p Party, packet int, by int64) Party {
	out := Party{Name: p.Name, Parts: append([]Part(nil), p.Parts...)}
	for i := packet; i < len(out.Parts); i++ {
		out.Parts[i].At += by
	}
	return out
}
