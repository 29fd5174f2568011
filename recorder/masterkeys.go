package recorder

import "github.com/siprecd/siprecd/recorder/internal/seal"

// MasterKeys are the keys under which the keys of recordings are wrapped. One
// seals; all of them open, so that a master key can be replaced while recordings
// under the old one are kept.
type MasterKeys struct{ keys *seal.Ring }

// ReadMasterKeys reads master keys from a file that only its owner, and at most
// its group, may read: one on each line, 32 octets in hexadecimal or base64; empty
// lines and those that begin with # are passed over. The first seals.
func ReadMasterKeys(path string) (*MasterKeys, error) {
	list, err := seal.ReadMasters(path)
	if err != nil {
		return nil, err
	}
	return &MasterKeys{seal.NewRing(list...)}, nil
}

// ParseMasterKey takes one master key, 32 octets in hexadecimal or base64.
func ParseMasterKey(text string) (*MasterKeys, error) {
	m, err := seal.ParseMaster(text)
	if err != nil {
		return nil, err
	}
	return &MasterKeys{seal.NewRing(m)}, nil
}

// ring gives the keys; nil for none.
func (m *MasterKeys) ring() *seal.Ring {
	if m == nil {
		return nil
	}
	return m.keys
}
