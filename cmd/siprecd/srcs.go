package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/siprec"
)

// A profile is one Session Recording Client as its operator declares it.
type profile struct {
	siprec.SRC
	signals      recorder.Signals
	addresses    []network
	certificates []string
	listeners    []string
	at           map[string]*yaml.Node // its keys, and "" for the whole, to say where they stand
}

// srcFile is where a profile stands, for what it names.
type srcFile struct {
	path string
	dir  string
}

// A srcKey is one key of a profile. The table of them is the reader of the file and
// the words of its documentation.
type srcKey struct {
	name, value, help string
	read              func(f srcFile, node *yaml.Node, p *profile) error
}

// srcKeys are the keys of a profile, in the order of docs/srcs.md.
func srcKeys() []srcKey {
	return []srcKey{
		{"name", "text", "What the SRC is called in logs, manifests and limits. Required, and different for each.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return scalar(n, &p.Name) }},
		{"addresses", "list of addresses or networks", "Where it signals from, or `any`. Of several SRCs the one with the longest prefix is meant; two with the same one are an error, unless listeners or certificates tell them apart.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return networksOf(n, &p.addresses) }},
		{"certificates", "list of names", "Names of its TLS certificate: common name, DNS name or URI, one is enough. Such an SRC is known by its certificate only, and before all that are known by address; with `addresses` both have to fit. It needs a listener of TLS and `--tls-clients` other than off.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return texts(n, &p.certificates) }},
		{"listeners", "list of names", "Listeners it may come to, by the names of `--listen NAME=ADDRESS`. Empty: all.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return texts(n, &p.listeners) }},
		{"plain-invite", "true or false", "Whether an INVITE opens a recording session although nothing in it says so. Default false.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return scalar(n, &p.PlainInvite) }},
		{"strict", "true or false", "Whether both marks of RFC 7866 are needed, `+sip.src` in Contact and `siprec` in Require; else one sign is enough. Default false.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return scalar(n, &p.Strict) }},
		{"tls", "preferred or required", "`required` refuses it over UDP and TCP, where all on the way can read who talks to whom. Default preferred.",
			func(_ srcFile, n *yaml.Node, p *profile) error {
				var word string
				err := oneOf(n, &word, "preferred", "required")
				p.RequireTLS = word == "required"
				return err
			}},
		{"media-networks", "list of addresses or networks", "Further networks its RTP may come from, beside the address of the SDP and that of the SIP peer.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return mediaNetworks(n, p) }},
		{"max-recording-sessions", "number", "Recording sessions of it at the same time; one more is answered 503, or 302 with `--redirect`. Default: no limit of its own.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return positive(n, &p.MaxRecordingSessions) }},
		{"streams", "number", "Recorded streams that all of its recording sessions may have at the same time. An offer of more is answered as above, or 488 when it alone has too many. Default: three quarters of what `--rtp-ports` has room for when the file has several SRCs, so that none takes all; else no limit.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return positive(n, &p.MaxStreams) }},
		{"invites-per-second", "number", "Recording sessions it may ask for in a second, on average; further ones are answered as above. Default: no limit.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return positive(n, &p.InvitesPerSecond) }},
		{"srtp", "preferred, required or off", "Whether SRTP is taken where it is offered, has to be offered, or is refused. `required` takes none that does not encrypt. Default preferred.",
			func(_ srcFile, n *yaml.Node, p *profile) error {
				return oneOf(n, &p.SRTP, siprec.SRTPPreferred, siprec.SRTPRequired, siprec.SRTPOff)
			}},
		{"srtp-suites", "list of names", "The crypto-suites that are accepted, the preferred first. Default: all that are understood.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return suites(n, &p.SRTPSuites) }},
		{"codecs", "list of names", "Encodings that come first in answers, in this order; none is excluded.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return codecs(n, &p.Codecs) }},
		{"refuse-unrecorded", "true or false", "Whether media that is not recorded is answered with port 0, not with a bound port and inactive. Default false.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return scalar(n, &p.RefuseUnrecorded) }},
		{"answer-delay", "duration", "How long after an INVITE its 200 leaves at the earliest, below 30s. Default 0s.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return delay(n, &p.AnswerDelay) }},
		{"session-timer", "off, or mapping of durations", "How session timers are agreed (RFC 4028): `minimum`, from 90s, is the least interval that an SRC may ask for, a shorter one is answered 422; one that does not know of timers, for which a proxy asked, gets what was asked for, from 90s. `interval`, up to 24h, is asked of an SRC that asks for none, and the longest that is agreed to. `off` agrees to none, unless the SRC requires it. Default: what the SRC asks for, from 90s.",
			func(f srcFile, n *yaml.Node, p *profile) error { return sessionTimer(f, n, &p.SessionTimer) }},
		{"enforce", "off or source", "`source` asks it by re-INVITE to send nothing while nothing may be kept; what it sends all the same is withheld, as it is with `off`. Default off.",
			func(_ srcFile, n *yaml.Node, p *profile) error {
				var word string
				err := oneOf(n, &word, "off", "source")
				p.EnforceAtSource = word == "source"
				return err
			}},
		{"inactive-means", "src-pause, hold or manual", "What it means by an inactive stream beside that it is withheld (RFC 7866 §7.1.1.1): that it pauses that stream, that the call is held, or that somebody pressed pause. Default: what the profile of the directory says, else src-pause.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return inactiveMeans(n, &p.signals) }},
		{"second-communication-session", "consult or none", "Whether one of the own people who is in a second communication session, with somebody who is not on the call, consults; with `none` it is part of the call, as on a turret (RFC 8068 §3.5). Default consult.",
			func(_ srcFile, n *yaml.Node, p *profile) error {
				var word string
				err := oneOf(n, &word, "consult", "none")
				p.signals.NoConsult = word == "none"
				return err
			}},
		{"consult-window", "duration", "How long before a consult a hold may come and be the consult's own, and no hold that somebody pressed, below 30s. With 0s it has to come in the same update. Default 2s.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return consultWindow(n, &p.signals) }},
		{"signals", "list of mappings, see below", "What header fields and extension data of its own mean. Default: nothing.",
			func(f srcFile, n *yaml.Node, p *profile) error { return readSignals(f, n, &p.signals) }},
		{"digest", "mapping, see below", "Passwords it has to say (RFC 3261 §22, RFC 7616). Default: none.",
			func(f srcFile, n *yaml.Node, p *profile) error {
				p.Digest = &siprec.Digest{}
				return readDigest(f, n, p.Digest)
			}},
	}
}

// readSRCs reads the file of the SRCs that the settings name, and checks that it fits
// them. An error is one line with the file, the line and, if it is about one, the SRC.
func readSRCs(s settings) ([]profile, error) {
	text, err := os.ReadFile(s.SRCs)
	if err != nil {
		return nil, fmt.Errorf("srcs: %w", err)
	}
	f := srcFile{s.SRCs, filepath.Dir(s.SRCs)}
	list, err := parseSRCs(f, text)
	if err == nil {
		err = s.checkSRCs(f, list)
	}
	if err != nil {
		return nil, fmt.Errorf("srcs: %w", err)
	}
	return list, nil
}

func parseSRCs(f srcFile, text []byte) ([]profile, error) {
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %s", f.path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(document.Content) == 0 {
		return nil, fmt.Errorf("%s: no SRC in it", f.path)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one document; all SRCs belong into the first", f.path)
	}
	top := document.Content[0]
	if top.Kind != yaml.SequenceNode {
		return nil, at(f.path, top, errors.New("not a list of SRCs"))
	}
	var list []profile
	for _, node := range top.Content {
		p, err := readProfile(f, resolved(node))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list, func(q profile) bool { return q.Name == p.Name }) {
			return nil, at(f.path, node, fmt.Errorf("a second SRC of the name %q", p.Name))
		}
		if err := distinct(f, list, p); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func readProfile(f srcFile, node *yaml.Node) (profile, error) {
	p := profile{at: map[string]*yaml.Node{"": node}}
	keys := srcKeys()
	err := readKeys(f, node, func(key string) (func(*yaml.Node) error, []string) {
		for _, k := range keys {
			if k.name == key {
				return func(n *yaml.Node) error {
					p.at[key] = n
					return k.read(f, n, &p)
				}, nil
			}
		}
		return nil, namesOf(keys, func(k srcKey) string { return k.name })
	})
	switch {
	case err != nil:
		return profile{}, ofSRC(nameIn(node), err)
	case p.Name == "":
		return profile{}, at(f.path, node, errors.New("an SRC without a name"))
	case p.SRTP == siprec.SRTPOff && len(p.SRTPSuites) > 0:
		return profile{}, ofSRC(p.Name, located(f, p.at["srtp-suites"], errors.New("srtp-suites: no suite is accepted with srtp: off")))
	case p.signals.NoConsult && p.at["consult-window"] != nil:
		return profile{}, ofSRC(p.Name, located(f, p.at["consult-window"], errors.New("consult-window: with second-communication-session: none there is no consult")))
	case len(p.addresses)+len(p.certificates) == 0:
		return profile{}, at(f.path, node, fmt.Errorf("nothing says who %s is: it needs addresses or certificates", p.Name))
	}
	return p, nil
}
