package src

import "testing"

// BenchmarkProtector is one packet of 20 ms of G.711.
func BenchmarkProtector(b *testing.B) {
	for _, suite := range SRTPSuites() {
		b.Run(suite, func(b *testing.B) {
			key, err := NewIDs(1).SRTPKey(suite)
			if err != nil {
				b.Fatal(err)
			}
			p, err := NewProtector(key)
			if err != nil {
				b.Fatal(err)
			}
			packet := make([]byte, 172)
			b.ReportAllocs()
			for i := range b.N {
				packet[2], packet[3] = byte(i>>8), byte(i)
				p.RTP(packet, 12)
			}
		})
	}
}
