package model

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// write writes the files of a recording session. They get their names when they are
// complete.
func (rec *Record) write(session string, tracks []*Track) error {
	if rec.Together {
		return rec.file(session, tracks)
	}
	for i, t := range tracks {
		if err := rec.file(fmt.Sprintf("%s-%d-%s", session, i+1, url.PathEscape(t.Name)), []*Track{t}); err != nil {
			return err
		}
	}
	return nil
}

func (rec *Record) file(name string, channels []*Track) error {
	hidden := filepath.Join(rec.Folder, "."+name)
	if err := os.WriteFile(hidden, rec.wav(channels), 0o600); err != nil {
		return err
	}
	return os.Rename(hidden, filepath.Join(rec.Folder, name+".wav"))
}

// wav is the content of a file. Rates above 8 kHz are filled by straight lines.
func (rec *Record) wav(channels []*Track) []byte {
	rate := cmp.Or(rec.Rate, 8000)
	times, length := rate/8000, 0
	for _, t := range channels {
		length = max(length, len(t.Samples))
	}
	width := 2 * len(channels)
	b := append([]byte("RIFF"), 0, 0, 0, 0)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(channels)))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*width))
	b = binary.LittleEndian.AppendUint16(b, uint16(width))
	b = append(b, "\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(length*times*width))
	for i := range length * times {
		for _, t := range channels {
			from, to := t.at(i/times), t.at(i/times+1)
			b = binary.LittleEndian.AppendUint16(b, uint16(from+(to-from)*(i%times)/times))
		}
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// at is sample i, silence behind the end.
func (t *Track) at(i int) int {
	if i >= len(t.Samples) {
		return 0
	}
	return int(t.Samples[i])
}
