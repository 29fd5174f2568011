// Package store is the folder of finished recordings: where each lies, and the
// manifest that says what it holds and why.
//
// A recording has a folder of its own, <dir>/2026/11/21/<id>. One with a
// manifest.json is finished; one without is being recorded, or was cut off. Of one
// with an erased.json everything that it held of people is gone.
package store

import "time"

// Version is the version of the manifest this package writes.
const Version = 1

// ManifestName is the name of the manifest within the folder of a recording.
const ManifestName = "manifest.json"

// A Manifest says what a recording holds. Instants are UTC in RFC 3339 with
// nanoseconds; offsets and durations are milliseconds, offsets since the start
// of the interaction, which is the arrival of the INVITE.
type Manifest struct {
	Version   int    `json:"version"`
	Recording string `json:"recording"`
	CallID    string `json:"call_id"` // of the recording session, as sent
	// Of is the policy recording beside which a user recording was made, with the
	// metadata of both; Maker is who made it, by the id of a participant.
	Of    string `json:"user_recording_of,omitempty"`
	Maker string `json:"maker,omitempty"`
	SRC   SRC    `json:"src"`
	Times Times  `json:"times"`
	// RecordingSessions are all of the interaction, when there were several: CallID and
	// SRC are of the first. Streams of the second have ids that begin with "2/".
	RecordingSessions []RecordingSession `json:"recording_sessions,omitempty"`
	// EndReason is why the recording session ended: bye, cancel, vanished ...
	EndReason string   `json:"end_reason"`
	Timeline  Timeline `json:"timeline"`
	Policy    string   `json:"policy"` // version of the policy that decided
	// PolicyFile is the version of the policy file, Belonging where the interaction
	// belongs by it, Direction that of the call; absent when everything is recorded.
	PolicyFile string     `json:"policy_file,omitempty"`
	Belonging  *Belonging `json:"belongs_to,omitempty"`
	Direction  string     `json:"direction,omitempty"`
	// DirectionEvidence says in words how the direction is known.
	DirectionEvidence string `json:"direction_evidence,omitempty"`
	// Retention is what the policy says becomes of the recording; absent when
	// nothing was kept, or when everything is recorded.
	Retention *Retention `json:"retention,omitempty"`
	// Continues is the recording of the interaction that this one goes on with: that was
	// over, and what withheld there withheld here from the beginning.
	Continues string `json:"continues,omitempty"`
	// Parts are recordings of the same interaction, from before it was known to be that;
	// Into is the one that this is such a part of.
	Parts []string `json:"parts,omitempty"`
	Into  string   `json:"part_of,omitempty"`
	// Storage is how the files lie in the folder. Of an encrypted recording the rest
	// of this, what [Open] adds, is sealed beside it.
	Storage Storage `json:"storage,omitempty"`
	// Void says that all audio was discarded, and none may be kept.
	Void bool `json:"void,omitempty"`

	// Verdict says whether what should be heard can be heard, Reasons in words why
	// not.
	Verdict Verdict  `json:"verdict"`
	Reasons []string `json:"reasons,omitempty"`

	Participants []Participant `json:"participants"`
	Streams      []Stream      `json:"streams"`
	Files        []File        `json:"files"`
	Decisions    []Decision    `json:"decisions"`
	Metadata     []Document    `json:"metadata"`

	// Digits are those that were pressed, in the order of FromMS, where the policy has
	// them kept.
	Digits []Digit `json:"digits,omitempty"`

	// Tags are what other systems said of the call, by name.
	Tags map[string]string `json:"tags,omitempty"`

	// Interruptions are times in which the server was down while the recording session
	// was up: it was killed, and another process went on.
	Interruptions []Interruption `json:"interruptions,omitempty"`

	// Alarms are what was raised over it while it was made, in that order.
	Alarms []Alarm `json:"alarms,omitempty"`

	// Capture is the name of the file with the encoded packets, when it was
	// kept because not all of it could be turned into a WAV file.
	Capture string `json:"capture,omitempty"`
	// Oddities are deviations from the standards that were tolerated, Flags what
	// a person should know before trusting the recording.
	Oddities []string `json:"oddities,omitempty"`
	Flags    []string `json:"flags,omitempty"`
}

// A RecordingSession is one recording session (RFC 7866 §3) of an interaction. Interval
// is from its INVITE to its end.
type RecordingSession struct {
	Number int    `json:"number"` // from 1
	CallID string `json:"call_id"`
	SRC    SRC    `json:"src"`
	Interval
	EndReason string `json:"end_reason"`
	// Why says in words how it was found to be of this interaction; empty for the first.
	Why string `json:"why,omitempty"`
}

// A Digit is a key that was pressed on a telephone (RFC 4733 §3.2).
type Digit struct {
	Digit        string   `json:"digit"`        // 0-9, *, # or A-D
	FromMS       int64    `json:"from_ms"`      // when it was pressed, at the earliest
	DurationMS   int64    `json:"duration_ms"`  // for which it was pressed, as far as was told
	Stream       string   `json:"stream"`       // id of the stream that brought it
	Participants []string `json:"participants"` // ids of who sends that then; empty when nobody is known to
}

// An Alarm is something that a person should look at and no setting decides.
type Alarm struct {
	At      time.Time `json:"at"`
	Alarm   string    `json:"alarm"`            // its name
	Cause   string    `json:"cause,omitempty"`  // of the pair that it is about
	Owner   string    `json:"owner,omitempty"`  // likewise
	Stream  string    `json:"stream,omitempty"` // id of the stream that it is about
	Words   string    `json:"words"`            // the same for a person
	Cleared time.Time `json:"cleared,omitzero"` // when what it was about was over
}

// Storage says how the files of a recording lie in its folder.
type Storage string

// The storages. The empty one is Plain.
const (
	Plain     Storage = "plain"     // whoever can read the folder can read them
	Encrypted Storage = "encrypted" // sealed under the key of the recording
)

// A Belonging is the account, trunk and plan of an interaction, with the lines of
// the mapping in the policy file that said so.
type Belonging struct {
	Account string `json:"account"`
	Trunk   string `json:"trunk,omitempty"`
	Plan    string `json:"plan,omitempty"`
	Lines   []int  `json:"lines,omitempty"`
}

// A Retention is what becomes of a recording.
type Retention struct {
	DeleteAt time.Time `json:"delete_at,omitzero"` // absent: it is kept without end
	Held     bool      `json:"held,omitempty"`     // a legal hold is on it: nothing deletes it
	Evaluate bool      `json:"evaluate,omitempty"` // an evaluation is assigned
}

// A Role is who a participant is to the rules, and how that is known.
type Role struct {
	Role         string `json:"role"`
	IdentifiedBy string `json:"identified_by"`
	Internal     bool   `json:"internal,omitempty"`
	FirstPair    bool   `json:"first_pair,omitempty"`
	Evidence     string `json:"evidence"`
}

// An SRC is the Session Recording Client that sent the media (RFC 7866 §3).
type SRC struct {
	Name      string `json:"name,omitempty"` // as configured
	Address   string `json:"address"`        // source of the INVITE, host:port
	Transport string `json:"transport"`
	UserAgent string `json:"user_agent,omitempty"`
	From      string `json:"from"` // From URI: the SRC, not a recorded party (RFC 7866 §6.1.1)
	To        string `json:"to"`
}

// Times are the instants of a recording. First and Last are zero and absent
// when nothing was ever permitted.
type Times struct {
	Invite         time.Time `json:"invite"`
	FirstPermitted time.Time `json:"first_permitted,omitzero"`
	LastPermitted  time.Time `json:"last_permitted,omitzero"`
	End            time.Time `json:"end"`
	Finalised      time.Time `json:"finalised"`
	// InviteDate and EndDate are what the SRC says in the Date header fields of INVITE
	// and BYE (RFC 7865 §6.1, RFC 3261 §20.17), to the second. They are evidence
	// alone: all else goes by the arrival. Absent without one, or when it is more
	// than a day away from the arrival.
	InviteDate time.Time `json:"invite_date,omitzero"`
	EndDate    time.Time `json:"end_date,omitzero"`
}

// A Timeline is what every file of the recording spans: from the first to the
// last permitted instant on any stream.
type Timeline struct {
	// OffsetMS is below 0 by as much as the first packets were sent before the
	// INVITE arrived.
	OffsetMS   int64 `json:"offset_ms"`
	DurationMS int64 `json:"duration_ms"`
}

// An Interval is a part of the interaction. From is in it, To is not.
type Interval struct {
	FromMS int64 `json:"from_ms"`
	ToMS   int64 `json:"to_ms"`
}

// An Interruption is a part of the interaction of which nothing can be known.
type Interruption struct {
	Interval
	Cause string `json:"cause"` // server-down
}

// A Participant is a person or device of the metadata (RFC 7865 §6.5).
type Participant struct {
	ID    string   `json:"id"` // as sent
	AORs  []string `json:"aors,omitempty"`
	Names []string `json:"names,omitempty"`
	Files []string `json:"files,omitempty"`
	// Role is absent when everything is recorded, whoever they are.
	Role *Role `json:"role,omitempty"`
	// Sent are the parts of streams in which it was known to send.
	Sent []Part `json:"sent,omitempty"`
}

// A Part is a part of a stream.
type Part struct {
	Stream string `json:"stream"`
	Interval
}

// A Stream is one m-line of the recording session while it carried one stream.
type Stream struct {
	ID         string `json:"id"` // within the recording
	Index      int    `json:"index"`
	Generation int    `json:"generation"`
	Label      string `json:"label,omitempty"` // a=label as sent (RFC 4574)
	Media      string `json:"media"`
	Content    string `json:"content,omitempty"` // a=content as sent (RFC 4796)
	SRTP       string `json:"srtp,omitempty"`    // crypto-suite, when it came encrypted
	Recordable bool   `json:"recordable"`
	// Source is where its packets came from.
	Source     string      `json:"source,omitempty"`
	Directions []Direction `json:"directions"`
	Formats    []Format    `json:"formats,omitempty"`
	Permitted  []Interval  `json:"permitted,omitempty"`
	Packets    Packets     `json:"packets"`
	Epochs     int         `json:"ssrc_epochs"`
	Gaps       []Gap       `json:"gaps,omitempty"`
	// DriftPPM is by how many millionths the sender's clock was too slow, when that
	// came to more than 20 ms; Corrections are the steps in which it was taken out.
	DriftPPM    float64      `json:"drift_ppm,omitempty"`
	Corrections []Correction `json:"corrections,omitempty"`
	// Reports is what RTCP sender reports did to its place; absent when none were kept.
	Reports *SenderReports `json:"sender_reports,omitempty"`
	// Quality is absent for a stream that is not recordable.
	Quality *Quality `json:"quality,omitempty"`
	// Sources are the SSRCs of its packets, in the order in which they came, at most
	// 64 (RFC 3550 §8).
	Sources []Source `json:"sources,omitempty"`
	// Contributors are the sources that a mixer said are in it (RFC 3550 §7.1).
	Contributors []Contributor `json:"contributors,omitempty"`
	// Undecoded are the encodings that no file holds.
	Undecoded []string `json:"undecoded,omitempty"`
}

// A Source is one SSRC of a stream, with what RTCP told of it.
type Source struct {
	SSRC    uint32 `json:"ssrc"`
	FromMS  int64  `json:"from_ms"` // arrival of its first packet
	Address string `json:"address"` // where that came from
	Packets uint64 `json:"packets"`
	CNAME   string `json:"cname,omitempty"`
	Name    string `json:"name,omitempty"`
	Bye     bool   `json:"bye,omitempty"` // it said that it leaves (RFC 3550 §6.6)
	// Change is why it follows the source before, as far as it shows (RFC 7866
	// §8.1.3): collision, both send, same source, another source, source left,
	// offer, address or unknown. Absent for the first.
	Change string `json:"change,omitempty"`
}

// A Contributor is a source within a mixed stream, with what the mixer told of it.
type Contributor struct {
	CSRC    uint32 `json:"csrc"`
	Packets uint64 `json:"packets"` // that list it
	CNAME   string `json:"cname,omitempty"`
	Name    string `json:"name,omitempty"`
}

// A Direction is what the SRC offered from an instant on (RFC 3264 §5.1).
type Direction struct {
	FromMS    int64  `json:"from_ms"`
	Direction string `json:"direction"`
	Receiving bool   `json:"receiving"`
	Closed    bool   `json:"closed,omitempty"`
}

// A Format is what a payload type meant from an instant on.
type Format struct {
	FromMS      int64  `json:"from_ms"`
	PayloadType uint8  `json:"payload_type"`
	Name        string `json:"name"`
	ClockRate   int    `json:"clock_rate"` // Hz
	Channels    int    `json:"channels"`
	Params      string `json:"params,omitempty"`
}

// Packets counts the RTP packets of a stream.
type Packets struct {
	Received  uint64 `json:"received"`  // all that were taken as the stream's own
	Kept      uint64 `json:"kept"`      // of those, in the capture, without duplicates
	Lost      uint64 `json:"lost"`      // that the sequence numbers of the kept ones and of events miss
	Late      uint64 `json:"late"`      // that came after a later one
	Duplicate uint64 `json:"duplicate"` // that came again
	Withheld  uint64 `json:"withheld"`  // forgotten because no permit covered them
	Events    uint64 `json:"events"`    // telephone-event packets, which are no audio; see Manifest.Digits
	Strangers uint64 `json:"strangers"` // from sources that were not adopted
	// Unauthentic are SRTP and SRTCP datagrams whose key or content is wrong,
	// Replayed those that came before (RFC 3711 §3.3).
	Unauthentic uint64 `json:"unauthentic,omitempty"`
	Replayed    uint64 `json:"replayed,omitempty"`
	// Overrun are datagrams that came and for which the receive buffer of the port had
	// no room, since the machine was too busy or somebody flooded it.
	Overrun uint64 `json:"overrun,omitempty"`
}

// A Gap is a part of the timeline in which a stream is silent for a reason.
type Gap struct {
	Interval
	Cause string `json:"cause"` // lost, withheld, late-start, no-packets, undecodable
	// Withheld names the causes of the decisions behind a withheld gap.
	Withheld []string `json:"withheld_by,omitempty"`
}

// A Correction moved what follows in a stream, later when above 0.
type Correction struct {
	AtMS int64   `json:"at_ms"`
	ByMS float64 `json:"by_ms"`
}

// SenderReports says how far the sender reports of a stream (RFC 3550 §6.4.1) were
// followed. They are believed where they agree with the arrival of its packets.
type SenderReports struct {
	Count   int       `json:"count"`          // of those that were kept
	Rate    bool      `json:"rate,omitempty"` // DriftPPM is by them
	Moves   []Move    `json:"moves,omitempty"`
	Ignored []Ignored `json:"ignored,omitempty"`
}

// A Move laid a part of a stream later, or earlier when below 0, than its packets came,
// so that it is in step with another stream of the same CNAME. Its permitted intervals
// and decisions are told as they were, by arrival.
type Move struct {
	Interval
	ByMS float64 `json:"by_ms"`
	With string  `json:"with"` // the stream that stayed
}

// An Ignored is something that sender reports say and that was not followed: ByMS is how
// far it is from what arrivals say, beside the stream With, or, without one, about the
// rate of the clock over the length of the stream.
type Ignored struct {
	Why  string  `json:"why"`
	ByMS float64 `json:"by_ms"`
	With string  `json:"with,omitempty"`
}

// Attribution says how it is known whose voice a file holds.
type Attribution string

// The attributions.
const (
	ByMetadata   Attribution = "metadata"     // the metadata says who sent it
	Guessed      Attribution = "guessed"      // from the order of m-lines and participants
	Mixed        Attribution = "mixed"        // several senders on one stream
	Unattributed Attribution = "unattributed" // nobody is known to have sent it
)

// A File is one finished WAV file.
type File struct {
	Name         string      `json:"name"`
	Attribution  Attribution `json:"attribution"`
	Participants []string    `json:"participants"` // ids, as in Participant.ID
	Streams      []string    `json:"streams"`
	Rate         int         `json:"rate"`    // Hz
	Samples      int64       `json:"samples"` // per channel
	DurationMS   int64       `json:"duration_ms"`
	SHA256       string      `json:"sha256"`
	// Map is there when gaps are left out: the parts of the timeline that the file
	// holds, one after the other.
	Map []Mapped `json:"map,omitempty"`
}

// A Mapped is a part of the timeline that begins at a place of a file.
type Mapped struct {
	FileMS int64 `json:"file_ms"`
	Interval
}

// A Decision is one decision about one stream, in the order they were made.
type Decision struct {
	FromMS  int64     `json:"from_ms"`
	From    time.Time `json:"from"`
	Stream  string    `json:"stream"`
	Verdict string    `json:"verdict"` // record or withhold
	Policy  string    `json:"policy"`
	Because string    `json:"because,omitempty"` // what decided to record
	Causes  []Cause   `json:"causes,omitempty"`  // why it is withheld, all of them
	Words   string    `json:"words"`
}

// A Cause is one reason for which audio is withheld.
type Cause struct {
	Cause string    `json:"cause"`
	Owner string    `json:"owner"`
	Since time.Time `json:"since"`
	Flag  string    `json:"flag"`            // setting of the policy file, or always
	Basis string    `json:"basis,omitempty"` // the setting as it is, and what the products document
}

// A Document is one metadata document as it was kept.
type Document struct {
	File     string    `json:"file"`
	Arrival  time.Time `json:"arrival"`
	Readable bool      `json:"readable"`
	Error    string    `json:"error,omitempty"` // why it is not readable
}
