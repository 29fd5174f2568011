package recorder

import "fmt"

// sourceLines are the journal lines of the SSRCs that followed others since the last
// time (RFC 7866 §8.1.3). What RTCP tells of them later stands in the manifest.
func (in *interaction) sourceLines(l *leg) []journalLine {
	var lines []journalLine
	for _, s := range in.streams.of(l) {
		for i := max(s.told, 1); i < len(s.sources); i++ {
			now, before := s.sources[i], s.sources[i-1]
			lines = append(lines, journalLine{
				At: now.At.UTC(), Event: lineSource, Stream: string(s.id),
				Words: fmt.Sprintf("SSRC %d from %v follows %d: %s", now.SSRC, now.Address, before.SSRC, now.Change),
			})
		}
		s.told = len(s.sources)
	}
	return lines
}
