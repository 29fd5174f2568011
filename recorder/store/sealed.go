package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/internal/vault"
)

// sealedManifest is the name of the whole manifest of an encrypted recording.
const sealedManifest = ManifestName + vault.Suffix

// sealWhole writes the whole manifest of an encrypted recording. It is durable with
// the folder.
func sealWhole(folder string, m Manifest, key *seal.Key) error {
	if m.Storage != Encrypted {
		return nil
	}
	b, err := Encode(m)
	if err != nil {
		return err
	}
	return vault.Put(filepath.Join(folder, sealedManifest), b, key)
}

// Open is [Load], and of an encrypted recording the whole. The error wraps
// [ErrSealed] when no key of the ring opens it; the open part comes with it.
func Open(dir, id string, ring *seal.Ring) (Manifest, error) {
	m, err := Load(dir, id)
	if err != nil || m.Storage != Encrypted {
		return m, err
	}
	folder, err := Folder(dir, id)
	if err != nil {
		return m, err
	}
	key, err := Key(folder, id, ring)
	if err != nil {
		return m, err
	}
	b, err := vault.ReadFile(filepath.Join(folder, sealedManifest), key)
	if err != nil {
		return m, fmt.Errorf("open recording %s: %w", id, err)
	}
	var whole Manifest
	if err := json.Unmarshal(b, &whole); err != nil {
		return m, fmt.Errorf("open recording %s: %w", id, err)
	}
	if whole.Recording != id {
		return m, fmt.Errorf("open recording %s: its manifest is that of %q", id, whole.Recording)
	}
	return whole, nil
}

// Key gives the key of an encrypted recording. The error wraps [ErrSealed].
func Key(folder, id string, ring *seal.Ring) (*seal.Key, error) {
	key, err := ring.Load(folder, id)
	switch {
	case errors.Is(err, seal.ErrMaster) && !ring.Seals():
		return nil, fmt.Errorf("%w and there is no master key: name the file of master keys (%w)", ErrSealed, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrSealed, err)
	}
	return key, nil
}

// openPart is what of the manifest of an encrypted recording anybody may read who
// can read the folder.
func openPart(m Manifest) Manifest {
	if m.Storage != Encrypted {
		return m
	}
	return WithoutPeople(m)
}

// WithoutPeople is the identifiers, instants, sizes, sums, states and decisions of a
// manifest, and nothing that names or numbers a person or an address. It says what
// stays, so that what is added to a manifest is sealed until somebody decides
// otherwise.
func WithoutPeople(m Manifest) Manifest {
	out := Manifest{
		Version: m.Version, Recording: m.Recording, Of: m.Of, Continues: m.Continues, Parts: m.Parts, Into: m.Into, CallID: m.CallID, SRC: SRC{Name: m.SRC.Name, Transport: m.SRC.Transport},
		Times: m.Times, EndReason: m.EndReason, Timeline: m.Timeline, Policy: m.Policy, PolicyFile: m.PolicyFile,
		Belonging: m.Belonging, Direction: m.Direction, Retention: m.Retention, Storage: m.Storage, Void: m.Void,
		Interruptions: m.Interruptions,
		Verdict:       m.Verdict, Reasons: m.Reasons, Capture: m.Capture, Flags: m.Flags,
		Participants: []Participant{}, Streams: []Stream{}, Files: []File{}, Decisions: []Decision{}, Metadata: []Document{},
	}
	for _, r := range m.RecordingSessions {
		r.SRC = SRC{Name: r.SRC.Name, Transport: r.SRC.Transport}
		out.RecordingSessions = append(out.RecordingSessions, r)
	}
	for _, s := range m.Streams {
		out.Streams = append(out.Streams, s.withoutPeople())
	}
	for _, a := range m.Alarms {
		a.Owner = ""
		out.Alarms = append(out.Alarms, a)
	}
	for _, f := range m.Files {
		f.Participants = []string{}
		out.Files = append(out.Files, f)
	}
	for _, d := range m.Decisions {
		out.Decisions = append(out.Decisions, Decision{
			FromMS: d.FromMS, From: d.From, Stream: d.Stream, Verdict: d.Verdict, Policy: d.Policy, Causes: WithoutOwners(d.Causes),
		})
	}
	for _, d := range m.Metadata {
		out.Metadata = append(out.Metadata, Document{File: d.File, Arrival: d.Arrival, Readable: d.Readable})
	}
	return out
}

func (s Stream) withoutPeople() Stream {
	out := Stream{
		ID: s.ID, Index: s.Index, Generation: s.Generation, Media: s.Media, SRTP: s.SRTP, Recordable: s.Recordable,
		Directions: s.Directions, Permitted: s.Permitted, Packets: s.Packets, Epochs: s.Epochs, Gaps: s.Gaps,
		Quality: s.Quality, Undecoded: s.Undecoded,
	}
	for _, f := range s.Formats {
		f.Params = "" // as sent
		out.Formats = append(out.Formats, f)
	}
	return out
}

// WithoutOwners leaves out of causes whom they go back to.
func WithoutOwners(causes []Cause) []Cause {
	var out []Cause
	for _, c := range causes {
		out = append(out, Cause{Cause: c.Cause, Since: c.Since, Flag: c.Flag, Basis: c.Basis})
	}
	return out
}
