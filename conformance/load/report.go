package load

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
)

// A Spread is how durations are distributed, in ms.
type Spread struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

func spread(list []time.Duration) Spread {
	if len(list) == 0 {
		return Spread{}
	}
	slices.Sort(list)
	at := func(p float64) float64 { return milliseconds(list[min(int(p*float64(len(list))), len(list)-1)]) }
	return Spread{at(0.5), at(0.99), at(1)}
}

// Sending is what the generator says of itself.
type Sending struct {
	Packets int64   `json:"packets"` // that left
	Threads int     `json:"threads"`
	CPU     float64 `json:"cpu_us_per_packet"` // of the threads; 0 where it is not known
	Unsent  int     `json:"unsent"`            // packets that the system did not take
	Why     string  `json:"why_unsent,omitempty"`
	Reports int64   `json:"rtcp_reports"` // that came from the server
	// How late packets left after their instant, and how late all but 1 in 100, and
	// all, may be.
	P50MS        float64 `json:"late_p50_ms"`
	P99MS        float64 `json:"late_p99_ms"`
	WorstMS      float64 `json:"late_max_ms"`
	AllowedMS    float64 `json:"late_p99_allowed_ms"`
	MaxAllowedMS float64 `json:"late_max_allowed_ms"`
}

// A Report is what a run came to.
type Report struct {
	Outcome check.Outcome `json:"outcome"`
	Reasons []string      `json:"reasons,omitempty"`

	Target    string    `json:"target"`
	Transport string    `json:"transport"`
	Started   time.Time `json:"started"`
	Calls     int       `json:"calls_at_a_time"`
	Total     int       `json:"calls"`
	Streams   int       `json:"streams"`
	PtimeMS   float64   `json:"ptime_ms"`
	Seconds   float64   `json:"duration_s"`
	SRTP      bool      `json:"srtp"`

	Up    int    `json:"up"` // recording sessions that could be set up
	SetUp Spread `json:"set_up"`
	// SetUpRate is how many INVITEs were answered in a second, and InviteRate how many
	// left; 0 when there was only one.
	SetUpRate  float64        `json:"set_up_rate_per_s"`
	InviteRate float64        `json:"invite_rate_per_s"`
	Trouble    map[string]int `json:"trouble,omitempty"` // what went wrong with calls, and how often

	Sending Sending `json:"sending"`
	Files   *Found  `json:"files,omitempty"`
	Server  *Server `json:"server,omitempty"`
	// Dropped is what the kernel dropped at the server's ports because it was not
	// read in time; nil when it is not known.
	Dropped *int64 `json:"dropped_at_ports,omitempty"`
	// What was tolerated: the part of the packets that may be missing, and the time for
	// 99 of 100 INVITEs; 0 is none, and any.
	MissingAllowed float64    `json:"missing_allowed"`
	RateAsked      float64    `json:"rate_asked_per_s"` // of INVITEs; 0 when calls follow each other
	SetUpAllowedMS float64    `json:"set_up_p99_allowed_ms"`
	Kernel         *Kernel    `json:"udp,omitempty"`
	Floor          *FloorCost `json:"floor,omitempty"`
}

func newReport(cfg Config) *Report {
	asked := cfg.Rate
	if cfg.Total > 0 {
		asked = 0 // a call waits for the end of another
	}
	return &Report{
		RateAsked: asked,
		Target:    cfg.Target.Address, Transport: cfg.Target.Transport, Started: time.Now().UTC(),
		Calls: cfg.Calls, Total: cfg.calls(), Streams: cfg.Streams, PtimeMS: milliseconds(cfg.Ptime),
		Seconds: cfg.Duration.Seconds(), SRTP: cfg.SRTP, MissingAllowed: cfg.Missing, SetUpAllowedMS: milliseconds(cfg.SetUp),
	}
}

// judge decides the outcome. What is wrong with the generator outweighs what seems to
// be wrong with the server.
func (r *Report) judge(calls []*call, interrupted error) {
	r.count(calls)
	ours, theirs := r.ownFaults(interrupted), r.slow()
	for _, c := range calls {
		switch {
		case c.trouble == broken:
			ours = append(ours, c.why)
		case c.trouble != fine:
			theirs = append(theirs, c.why)
		}
	}
	if r.Up == 0 && len(theirs) == 0 {
		ours = append(ours, "no recording session was set up")
	}
	ours, theirs = tally(ours), append(tally(theirs), r.faultsInFiles()...)
	r.Reasons = append(slices.Clone(ours), theirs...)
	switch {
	case len(ours) > 0:
		r.Outcome = check.Error
	case len(theirs) > 0:
		r.Outcome = check.Fail
	default:
		r.Outcome = check.Pass
	}
}

func (r *Report) count(calls []*call) {
	names := map[trouble]string{
		refused: "refused", unanswered: "unanswered", broken: "broken", dropped: "ended by the server", unended: "BYE not answered with 200",
	}
	var times []time.Duration
	var began, answered []time.Time
	for _, c := range calls {
		if c.setUp > 0 {
			times = append(times, c.setUp)
			began, answered = append(began, c.began), append(answered, c.began.Add(c.setUp))
		}
		if len(c.streams) > 0 {
			r.Up++
		}
		if c.trouble != fine {
			if r.Trouble == nil {
				r.Trouble = make(map[string]int)
			}
			r.Trouble[names[c.trouble]]++
		}
	}
	r.SetUp = spread(times)
	r.InviteRate, r.SetUpRate = perSecond(began), perSecond(answered)
}

// perSecond is how many of these instants there were in a second, from the first to the
// last.
func perSecond(at []time.Time) float64 {
	if len(at) < 2 {
		return 0
	}
	first, last := slices.MinFunc(at, time.Time.Compare), slices.MaxFunc(at, time.Time.Compare)
	if first.Equal(last) {
		return 0
	}
	return float64(len(at)-1) / last.Sub(first).Seconds()
}

// slow says what took the server too long.
func (r *Report) slow() (out []string) {
	if r.SetUpAllowedMS > 0 && r.SetUp.P99 > r.SetUpAllowedMS {
		out = append(out, fmt.Sprintf("99 of 100 INVITEs were answered in %.1f ms; allowed are %.1f ms", r.SetUp.P99, r.SetUpAllowedMS))
	}
	if r.behind(r.SetUpRate, r.InviteRate) {
		out = append(out, fmt.Sprintf("INVITEs left at a rate of %.1f in a second, and were answered at %.1f", r.InviteRate, r.SetUpRate))
	}
	return out
}

// behind reports whether calls went at less than four fifths of a rate, and took a second
// more by it: one retransmission weighs much in a short run.
func (r *Report) behind(rate, than float64) bool {
	n := float64(r.Total - 1)
	return rate > 0 && than > 0 && n/rate > 1.25*n/than+1
}

// ownFaults are those of the generator.
func (r *Report) ownFaults(interrupted error) (out []string) {
	if interrupted != nil {
		out = append(out, "interrupted")
	}
	s := r.Sending
	if s.P99MS > s.AllowedMS || s.WorstMS > s.MaxAllowedMS {
		out = append(out, fmt.Sprintf("the generator was late itself: 99 of 100 packets by at most %.0f ms, all by at most %.0f ms; allowed are %.0f and %.0f ms",
			s.P99MS, s.WorstMS, s.AllowedMS, s.MaxAllowedMS))
	}
	if r.behind(r.InviteRate, r.RateAsked) {
		out = append(out, fmt.Sprintf("the generator sent %.1f INVITEs in a second, %.1f were asked for", r.InviteRate, r.RateAsked))
	}
	if s.Unsent > 0 {
		out = append(out, fmt.Sprintf("%d packets could not be sent: %s", s.Unsent, s.Why))
	}
	if r.Server != nil && r.Server.Problem != "" {
		out = append(out, "the server could not be measured: "+r.Server.Problem)
	}
	return out
}

// faultsInFiles are those of the server that its files show.
func (r *Report) faultsInFiles() (out []string) {
	f := r.Files
	if f == nil {
		return nil
	}
	if float64(f.Missing) > r.MissingAllowed*float64(f.Sent) {
		text := fmt.Sprintf("%d packets of %d are in no file: %d before the first of their stream that is, %d after the last; of %d streams there is nothing",
			f.Missing, f.Sent, f.AtStart, f.AtEnd, f.Nowhere)
		if r.Dropped != nil {
			text += fmt.Sprintf("; the kernel dropped %d at the ports of the server, which did not read in time", *r.Dropped)
		}
		if f.Unread > 0 {
			text += fmt.Sprintf("; %d files could not be searched: %s", f.Unread, f.Why)
		}
		out = append(out, text)
	}
	for _, x := range []struct {
		n    int
		what string
	}{
		{f.Damaged, "are not as they were sent"}, {f.Twice, "are twice in a file"}, {f.Foreign, "are in a file of another stream, or were never sent"},
	} {
		if x.n > 0 {
			out = append(out, fmt.Sprintf("%d packets %s", x.n, x.what))
		}
	}
	return out
}

// maxReasons bounds the different reasons of one kind.
const maxReasons = 10

// tally joins equal reasons.
func tally(list []string) []string {
	count := make(map[string]int)
	var order []string
	for _, s := range list {
		if count[s]++; count[s] == 1 {
			order = append(order, s)
		}
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(count[b], count[a]) })
	var out []string
	for i, s := range order {
		if i == maxReasons {
			return append(out, fmt.Sprintf("and %d other reasons", len(order)-i))
		}
		if count[s] > 1 {
			s = fmt.Sprintf("%d times: %s", count[s], s)
		}
		out = append(out, s)
	}
	return out
}

// Table writes the report for people.
func (r *Report) Table(w io.Writer) error {
	t := &table{w: w}
	kind := "RTP"
	if r.SRTP {
		kind = "SRTP"
	}
	t.row("load", "%d recording sessions, %d at a time, %d streams of %s, %.0f ms, %gs", r.Total, r.Calls, r.Streams, kind, r.PtimeMS, r.Seconds)
	t.row("set up", "%d; p50 %.1f ms, p99 %.1f ms, max %.1f ms", r.Up, r.SetUp.P50, r.SetUp.P99, r.SetUp.Max)
	s := r.Sending
	t.row("sent", "%d packets, %d threads, %s CPU each", s.Packets, s.Threads, cost(s.CPU))
	t.row("own lateness", "p50 %.1f ms, p99 %.1f ms (allowed %.0f), max %.1f ms (allowed %.0f)", s.P50MS, s.P99MS, s.AllowedMS, s.WorstMS, s.MaxAllowedMS)
	if f := r.Files; f != nil {
		t.row("recorded", "%.6f %% of the packets: %d missing, %d damaged, %d twice, %d foreign", 100*f.Recorded, f.Missing, f.Damaged, f.Twice, f.Foreign)
		t.row("files", "%d; %d packets are in more than one, %d not in step with their stream", f.Files, f.Copies, f.Shifted)
		t.row("BYE to file", "p50 %.0f ms, p99 %.0f ms, max %.0f ms; %.0f packets/s", f.ToFile.P50, f.ToFile.P99, f.ToFile.Max, f.Finalised)
	} else {
		t.row("recorded", "not looked at")
	}
	if r.Dropped != nil {
		t.row("dropped", "%d packets at the server's ports, by the kernel", *r.Dropped)
	}
	if k := r.Kernel; k != nil {
		t.row("UDP, machine", "%d receive buffer full, %d send buffer full, %d no port", k.ReceiveBuffer, k.SendBuffer, k.NoPort)
	}
	if v := r.Server; v != nil {
		steady, memory := "", ""
		if v.Steady > 0 {
			steady = cost(v.Steady) + " a packet while all were up, "
			memory = fmt.Sprintf("%.1f KiB a recording session; ", v.Memory)
		}
		t.row("server CPU", "%s%s a packet over the whole run", steady, cost(v.Whole))
		t.row("server memory", "%s%s", memory, v.memories())
		t.row("descriptors", "%d at most", v.Descriptors)
	}
	if f := r.Floor; f != nil {
		t.row("floor CPU", "%s a packet; %d of %d packets received", cost(f.CPU), f.Received, f.Sent)
	}
	t.row("outcome", "%s", r.Outcome)
	for _, reason := range r.Reasons {
		t.row("", "%s", reason)
	}
	return t.err
}

// memories are the resident sizes at the marks.
func (s *Server) memories() (out string) {
	for _, m := range s.Marks {
		if out != "" {
			out += ", "
		}
		out += fmt.Sprintf("%s %.1f MiB", m.At, float64(m.RSS)/(1<<20))
	}
	return out
}

func cost(us float64) string {
	if us == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%.2f us", us)
}

type table struct {
	w   io.Writer
	err error
}

func (t *table) row(name, format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, "%-14s %s\n", name, fmt.Sprintf(format, args...))
	}
}
