package sdp

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

// keyText is a key of so many octets, each of them fill.
func keyText(octets int, fill byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, octets))
}

var (
	key30 = keyText(30, 1)
	key28 = keyText(28, 2)
	key44 = keyText(44, 3)
)

// Shows 4568-6.1-01.
func TestParseCrypto(t *testing.T) {
	type want struct {
		tag      string
		suite    Suite
		key      byte
		mki      []byte
		keys     int
		clearRTP bool
		window   int
	}
	tests := []struct {
		name, value string
		want        want
	}{
		{"plain", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30, want{tag: "1", suite: AES128SHA1, key: 1, keys: 1}},
		{"short tag", "2 AES_CM_128_HMAC_SHA1_32 inline:" + key30, want{tag: "2", suite: AES128SH32, key: 1, keys: 1}},
		{"gcm 128", "7 AEAD_AES_128_GCM inline:" + key28, want{tag: "7", suite: AEAD128, key: 2, keys: 1}},
		{"gcm 256", "999999999 AEAD_AES_256_GCM inline:" + key44, want{tag: "999999999", suite: AEAD256, key: 3, keys: 1}},
		{"no padding", "1 AEAD_AES_128_GCM inline:" + strings.TrimRight(key28, "="), want{tag: "1", suite: AEAD128, key: 2, keys: 1}},
		{"leading zero is kept", "01 AEAD_AES_128_GCM inline:" + key28, want{tag: "01", suite: AEAD128, key: 2, keys: 1}},
		{"other case", "1 aes_cm_128_hmac_sha1_80 INLINE:" + key30, want{tag: "1", suite: AES128SHA1, key: 1, keys: 1}},
		{"lifetime", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^48", want{tag: "1", suite: AES128SHA1, key: 1, keys: 1}},
		{"longest decimal lifetime", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|281474976710656", want{tag: "1", suite: AES128SHA1, key: 1, keys: 1}},
		{"decimal lifetime", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1048576|1:4", want{tag: "1", suite: AES128SHA1, key: 1, keys: 1, mki: []byte{0, 0, 0, 1}}},
		{"MKI alone", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|258:2", want{tag: "1", suite: AES128SHA1, key: 1, keys: 1, mki: []byte{1, 2}}},
		{"longest MKI", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|9:128", want{tag: "1", suite: AES128SHA1, key: 1, keys: 1, mki: append(make([]byte, 127), 9)}},
		{"two keys", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|1:1;inline:" + keyText(30, 9) + "|2^20|2:1", want{tag: "1", suite: AES128SHA1, key: 1, keys: 2, mki: []byte{1}}},
		{"two keys and a blank", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:1; inline:" + keyText(30, 9) + "|2:1", want{tag: "1", suite: AES128SHA1, key: 1, keys: 2, mki: []byte{1}}},
		{"parameters", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " WSH=512 FEC_ORDER=FEC_SRTP -NEW=1 UNENCRYPTED_SRTP KDR=0", want{tag: "1", suite: AES128SHA1, key: 1, keys: 1, window: 512, clearRTP: true}},
		{"unreadable hint", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " WSH=much", want{tag: "1", suite: AES128SHA1, key: 1, keys: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseCrypto(tt.value)
			if err != nil {
				t.Fatal(err)
			}
			got := want{c.Tag, c.Suite, c.Keys[0].Key[0], c.Keys[0].MKI, len(c.Keys), c.UnencryptedRTP, c.Window}
			if got.tag != tt.want.tag || got.suite != tt.want.suite || got.key != tt.want.key || !bytes.Equal(got.mki, tt.want.mki) ||
				got.keys != tt.want.keys || got.clearRTP != tt.want.clearRTP || got.window != tt.want.window {
				t.Errorf("read %+v, want %+v", got, tt.want)
			}
			if key, salt := c.Suite.KeySizes(); len(c.Keys[0].Key) != key || len(c.Keys[0].Salt) != salt {
				t.Errorf("key of %d octets, salt of %d", len(c.Keys[0].Key), len(c.Keys[0].Salt))
			}
		})
	}
}

// Shows 4568-6.1-01.
func TestParseCryptoRefuses(t *testing.T) {
	for name, value := range map[string]string{
		"nothing":                  "",
		"no key":                   "1 AES_CM_128_HMAC_SHA1_80",
		"no tag":                   "x AES_CM_128_HMAC_SHA1_80 inline:" + key30,
		"tag of ten digits":        "1234567890 AES_CM_128_HMAC_SHA1_80 inline:" + key30,
		"unknown suite":            "1 F8_128_HMAC_SHA1_80 inline:" + key30,
		"other key method":         "1 AES_CM_128_HMAC_SHA1_80 uri:" + key30,
		"short key":                "1 AES_CM_128_HMAC_SHA1_80 inline:" + key28,
		"key of another suite":     "1 AEAD_AES_256_GCM inline:" + key30,
		"no base64":                "1 AES_CM_128_HMAC_SHA1_80 inline:" + strings.Repeat("!", 40),
		"lifetime of no packet":    "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|0",
		"lifetime above 2^48":      "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^49",
		"decimal one above 2^48":   "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|281474976710657|1:4",
		"unreadable lifetime":      "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|long",
		"two lifetimes":            "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|2^20",
		"MKI too long":             "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:129",
		"MKI of no octets":         "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:0",
		"MKI does not fit":         "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|256:1",
		"negative MKI":             "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|-1:1",
		"two keys without MKI":     "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + ";inline:" + key30,
		"two keys of one MKI":      "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:1;inline:" + key30 + "|1:1",
		"MKIs of two lengths":      "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:1;inline:" + key30 + "|2:2",
		"without authentication":   "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " UNAUTHENTICATED_SRTP",
		"key derivation rate":      "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " KDR=20",
		"parameter not understood": "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " NEW=1",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := ParseCrypto(value)
			if err == nil {
				t.Fatal("was taken")
			}
			if len(c.Keys) > 0 || strings.Contains(err.Error(), key30[:8]) {
				t.Errorf("keys in the result or in %q", err)
			}
		})
	}
}

func TestAcceptedCrypto(t *testing.T) {
	savp := line("m=audio 40000 RTP/SAVP 8")
	avp := line("m=audio 40000 RTP/AVP 8")
	one := "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:" + key30 + "\r\n"
	two := "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "\r\n"
	gcm := "a=crypto:3 AEAD_AES_256_GCM inline:" + key44 + "\r\n"
	clearGCM := strings.TrimSuffix(strings.Replace(gcm, ":3", ":5", 1), "\r\n") + " UNENCRYPTED_SRTP\r\n"
	bad := "a=crypto:4 AEAD_AES_256_GCM inline:" + key30 + "\r\n"
	tests := []struct {
		name, text string
		terms      Terms
		plan       Plan
		tag        string // empty: none is accepted
		refusal    string
	}{
		{"by preference, not by order", savp + one + two + gcm, Terms{}, Record, "3", ""},
		{"an invalid one is passed over", savp + bad + one, Terms{}, Record, "1", ""},
		{"preference of the profile", savp + gcm + two + one, Terms{Suites: []Suite{AES128SH32, AEAD256}}, Record, "1", ""},
		{"a tag twice: the second is invalid", savp + one + strings.Replace(gcm, ":3", ":01", 1), Terms{}, Record, "1", ""},
		{"one that encrypts before one that does not", savp + clearGCM + one, Terms{}, Record, "1", ""},
		{"one that does not encrypt", savp + one + clearGCM, Terms{Suites: []Suite{AEAD256}}, Record, "5", ""},
		{"one that does not encrypt while required", savp + clearGCM, Terms{SRTP: RequireSRTP}, Refuse, "", "without encryption"},
		{"RTCP without encryption while required", avp + strings.Replace(clearGCM, "SRTP", "SRTCP", 1), Terms{SRTP: RequireSRTP}, Refuse, "", "without encryption"},
		{"suite that is not allowed", savp + two, Terms{Suites: []Suite{AEAD256}}, Refuse, "", "AES_CM_128_HMAC_SHA1_80 is not allowed"},
		{"no key", savp, Terms{}, Refuse, "", "no a=crypto"},
		{"no valid key", savp + bad, Terms{}, Refuse, "", "length"},
		{"SRTP off", savp + two, Terms{SRTP: NoSRTP}, Refuse, "", "not taken"},
		{"plain while required", avp, Terms{SRTP: RequireSRTP}, Refuse, "", "SRTP is required"},
		{"best effort", avp + two, Terms{}, Record, "2", ""},
		{"best effort while required", avp + two, Terms{SRTP: RequireSRTP}, Record, "2", ""},
		{"best effort while off", avp + two, Terms{SRTP: NoSRTP}, Record, "", ""},
		{"best effort without a valid key", avp + bad, Terms{}, Record, "", ""},
		{"plain", avp, Terms{}, Record, "", ""},
		{"feedback profile", strings.Replace(savp, "SAVP", "SAVPF", 1) + gcm, Terms{}, Record, "3", ""},
		{"keys by DTLS", strings.Replace(savp, "RTP/SAVP", "UDP/TLS/RTP/SAVP", 1) + two, Terms{}, Refuse, "", "DTLS"},
		{"port 0", strings.Replace(savp, "40000", "0", 1) + two, Terms{}, Refuse, "", "port 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &mustParse(t, tt.text).Media[0]
			c, ok := m.AcceptedCrypto(tt.terms)
			if m.Plan(tt.terms) != tt.plan || c.Tag != tt.tag || ok != (tt.tag != "") {
				t.Errorf("plan %v, tag %q, %v; want %v, %q", m.Plan(tt.terms), c.Tag, ok, tt.plan, tt.tag)
			}
			if got := m.Refusal(tt.terms); (got == "") != (tt.refusal == "") || !strings.Contains(got, tt.refusal) {
				t.Errorf("refusal %q, want %q", got, tt.refusal)
			}
		})
	}
}

// TestKeepOffered: an answer adds nothing to what was offered.
// Shows DRV4568-5.1.2-01.
func TestKeepOffered(t *testing.T) {
	const suite = " AES_CM_128_HMAC_SHA1_80 inline:"
	offered := "1" + suite + key30
	for _, tt := range []struct {
		name, offered, proto, answer string
		kept                         int
		why                          string
	}{
		{"as offered", offered, "RTP/SAVP", offered, 1, ""},
		{"the same number", offered, "RTP/SAVP", "01" + suite + key30, 1, ""},
		{"less than was offered", offered + " UNENCRYPTED_SRTP", "RTP/SAVP", offered, 1, ""},
		{"not encrypted, as offered", offered + " UNENCRYPTED_SRTP", "RTP/SAVP", offered + " UNENCRYPTED_SRTP", 1, ""},
		{"not encrypted", offered, "RTP/SAVP", offered + " UNENCRYPTED_SRTP", 0, "without encryption"},
		{"RTCP not encrypted", offered, "RTP/SAVP", offered + " UNENCRYPTED_SRTCP", 0, "without encryption"},
		{"another tag", offered, "RTP/SAVP", "2" + suite + key30, 0, "tag 2"},
		{"another suite", offered, "RTP/SAVP", "1 AES_CM_128_HMAC_SHA1_32 inline:" + key30, 0, "_32 was not offered"},
		{"invalid", offered, "RTP/SAVP", "1" + suite + key28, 0, "length"},
		{"plain", offered, "RTP/AVP", "", 0, ""},
		{"SRTP to an offer of plain RTP", "", "RTP/SAVP", offered, 0, "SRTP was not offered"},
		{"a key to an offer of plain RTP", "", "RTP/AVP", offered, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := Media{Proto: tt.proto}
			if tt.answer != "" {
				m.Crypto = []string{tt.answer}
			}
			why := ""
			if err := m.KeepOffered(tt.offered); err != nil {
				why = err.Error()
			}
			if len(m.Crypto) != tt.kept || (why == "") != (tt.why == "") || !strings.Contains(why, tt.why) {
				t.Errorf("kept %d, error %q", len(m.Crypto), why)
			}
		})
	}
}

// Shows 7866-12.2-04.
func TestTerms(t *testing.T) {
	video := line("m=video 40000 RTP/AVP 96") + "a=rtpmap:96 H264/90000\r\n"
	m := &mustParse(t, video).Media[0]
	if m.Plan(Terms{}) != Hold || m.Plan(Terms{RefuseUnrecorded: true}) != Refuse {
		t.Error("video is not held by default and refused by profile")
	}
	m = &mustParse(t, line("m=audio 40000 RTP/AVP 0 8 9 18 101")+"a=rtpmap:101 telephone-event/8000\r\n").Media[0]
	var got []string
	for _, c := range m.Choose(Terms{Codecs: []string{"TELEPHONE-EVENT", "G729", "PCMA"}, RefuseUnrecorded: true}) {
		got = append(got, c.Name)
	}
	if want := []string{"G729", "PCMA", "PCMU", "G722", "TELEPHONE-EVENT"}; !slices.Equal(got, want) {
		t.Errorf("answered %v, want %v", got, want)
	}
}

func TestCryptoAnswer(t *testing.T) {
	c, err := ParseCrypto("5 AEAD_AES_128_GCM inline:" + key28 + "|2^20|1:4 WSH=128 UNENCRYPTED_SRTP UNENCRYPTED_SRTCP")
	if err != nil {
		t.Fatal(err)
	}
	own := c.Answer(bytes.Repeat([]byte{7}, 16), bytes.Repeat([]byte{7}, 12))
	if want := "5 AEAD_AES_128_GCM inline:" + keyText(28, 7) + " UNENCRYPTED_SRTP UNENCRYPTED_SRTCP"; own != want {
		t.Errorf("answered %q, want %q", own, want)
	}
}

// FuzzParseCrypto looks for panics, keys of a wrong length, and answers that are
// not read as they were meant.
// Shows 4568-6.1-01.
func FuzzParseCrypto(f *testing.F) {
	f.Add("1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|1:4 WSH=64")
	f.Add("1 AEAD_AES_256_GCM inline:" + key44 + ";inline:" + key44 + "|1:1")
	f.Add("x y z;;inline:|")
	f.Fuzz(func(t *testing.T, value string) {
		c, err := ParseCrypto(value)
		if err != nil {
			return
		}
		keyLen, saltLen := c.Suite.KeySizes()
		if keyLen == 0 || len(c.Keys) == 0 || len(c.Keys) > maxKeys {
			t.Fatalf("suite %q with %d keys", c.Suite, len(c.Keys))
		}
		for _, k := range c.Keys {
			if len(k.Key) != keyLen || len(k.Salt) != saltLen || len(k.MKI) != len(c.Keys[0].MKI) || len(k.MKI) > maxMKI {
				t.Fatalf("key of %d, salt of %d, MKI of %d octets", len(k.Key), len(k.Salt), len(k.MKI))
			}
		}
		own := MasterKey{Key: make([]byte, keyLen), Salt: make([]byte, saltLen)}
		again, err := ParseCrypto(c.Answer(own.Key, own.Salt))
		if err != nil || again.Tag != c.Tag || again.Suite != c.Suite || again.UnencryptedRTP != c.UnencryptedRTP {
			t.Fatalf("answer to %q is read as %+v, %v", value, again, err)
		}
	})
}
