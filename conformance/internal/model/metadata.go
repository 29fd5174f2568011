package model

import (
	"encoding/xml"

	"github.com/siprecd/siprecd/conformance/src"
)

// readable says that the metadata of a request is a recording in XML, or that there is
// none.
func readable(m *src.Message) bool {
	for _, p := range m.Parts() {
		if p.Type == src.TypeMetadata || p.Type == src.TypeOldMetadata {
			var document struct{ XMLName xml.Name }
			if xml.Unmarshal(p.Body, &document) != nil || document.XMLName.Local != "recording" {
				return false
			}
		}
	}
	return true
}
