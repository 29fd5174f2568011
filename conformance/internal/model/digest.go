package model

import (
	"crypto/rand"
	"fmt"

	"github.com/siprecd/siprecd/conformance/src"
)

// challenge asks for a password, by SHA-256 or else by MD5 (RFC 3261 §22.4, RFC 8760
// §2.3).
func (s *Server) challenge(r *Response) {
	r.Status = 401
	for _, algorithm := range []string{"SHA-256", "MD5"} {
		r.Headers = append(r.Headers, src.Header{
			Name:  "WWW-Authenticate",
			Value: fmt.Sprintf(`Digest realm="model", nonce="%s", qop="auth", algorithm=%s`, rand.Text(), algorithm),
		})
	}
}
