package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader is the header field with the signature of a delivery.
const SignatureHeader = "Siprecd-Signature"

// Window is by how much the time of a signature may differ from the clock of a
// receiver: what is older may be a copy that somebody sends again.
const Window = 5 * time.Minute

const (
	minSecret     = 16       // octets
	maxSecrets    = 4        // in a file
	maxSecretFile = 64 << 10 // octets
)

// ReadSecrets reads secrets from a file that only its owner, and at most its group, may
// read: one on each line, at least 16 octets, at most four of them; empty lines and
// those that begin with # are passed over. Each signs every delivery, so that a
// receiver may go from one to the next.
func ReadSecrets(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("secret of the webhook: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("secret of the webhook: %s may be read by everybody (mode %#o), make it 0600", path, info.Mode().Perm())
	}
	if info.Size() > maxSecretFile {
		return nil, fmt.Errorf("secret of the webhook: %s is too large", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("secret of the webhook: %w", err)
	}
	var list []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	if err := checkSecrets(list); err != nil {
		return nil, fmt.Errorf("secret of the webhook: %s: %w", path, err)
	}
	return list, nil
}

func checkSecrets(list []string) error {
	if len(list) == 0 {
		return fmt.Errorf("there is none")
	}
	if len(list) > maxSecrets {
		return fmt.Errorf("there are %d, at most %d can be", len(list), maxSecrets)
	}
	for i, s := range list {
		if len(s) < minSecret {
			return fmt.Errorf("secret %d has less than %d octets", i+1, minSecret)
		}
	}
	return nil
}

// sign is the value of [SignatureHeader]: the instant in seconds since 1970, and for
// each secret the HMAC-SHA256 (RFC 2104) of that instant in decimal, a full stop and
// the body, in hexadecimal.
func sign(secrets []string, at time.Time, body []byte) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	out := "t=" + stamp
	for _, s := range secrets {
		mac := hmac.New(sha256.New, []byte(s))
		mac.Write([]byte(stamp + "."))
		mac.Write(body)
		out += ",v1=" + hex.EncodeToString(mac.Sum(nil))
	}
	return out
}
