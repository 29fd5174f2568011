package report

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Measures of a ladder, in pixels.
const (
	timeWidth  = 80  // column of times at the left
	laneWidth  = 150 // between two addresses of one side
	reach      = 430 // between the two sides
	topHeight  = 44
	stepHeight = 34
	maxLanes   = 4 // of a side; the last one stands for those beyond
)

// A ladder is the messages of a case as arrows between addresses.
type ladder struct {
	Width, Height int
	Lanes         []lane
	Steps         []step
}

// lane is the line of one address, or of several.
type lane struct {
	X, End     int
	Role, Name string
}

// step is one arrow.
type step struct {
	Number       int
	Y            int
	From, To     int
	Time, Label  string
	Head         string // points of the head of the arrow
	Media, Reply bool
}

// MiddleX is where the label of the arrow stands.
func (s step) MiddleX() int { return (s.From + s.To) / 2 }

// LabelY is the line of the label.
func (s step) LabelY() int { return s.Y - 6 }

// draw makes the ladder of a trace; the first message is at time 0.
func draw(trace []check.Message) ladder {
	left, right := sides(trace)
	l := ladder{Height: topHeight + stepHeight*len(trace) + stepHeight/2}
	lefts := l.place(left, "SRC", timeWidth+laneWidth/2)
	rights := l.place(right, "SRS", lefts[len(lefts)-1]+reach)
	l.Width = rights[len(rights)-1] + laneWidth/2
	seen := make(map[string]bool)
	for i, m := range trace {
		l.Steps = append(l.Steps, arrow(i, m, trace[0], lefts[laneOf(left, m.Local)], rights[laneOf(right, m.Remote)], seen))
	}
	return l
}

// place makes the lanes of one side, from some place on, and says where they are.
func (l *ladder) place(side []netip.AddrPort, role string, x int) []int {
	var all []int
	for i := range min(len(side), maxLanes) {
		name := side[i].String()
		if i == maxLanes-1 && len(side) > maxLanes {
			name = "others"
		}
		l.Lanes = append(l.Lanes, lane{X: x, End: l.Height - stepHeight/4, Role: role, Name: name})
		all = append(all, x)
		x += laneWidth
	}
	return all
}

// sides are the addresses of SIP of the suite and of the server, in the order in which
// they come; without SIP those of the first packet.
func sides(trace []check.Message) (left, right []netip.AddrPort) {
	for _, m := range trace {
		if m.Protocol != src.SIP {
			continue
		}
		if !slices.Contains(left, m.Local) {
			left = append(left, m.Local)
		}
		if !slices.Contains(right, m.Remote) {
			right = append(right, m.Remote)
		}
	}
	if len(left) == 0 {
		left, right = []netip.AddrPort{trace[0].Local}, []netip.AddrPort{trace[0].Remote}
	}
	return left, right
}

// laneOf finds the lane of an address; that of media is the first one of its host.
func laneOf(side []netip.AddrPort, a netip.AddrPort) int {
	i := slices.Index(side, a)
	if i < 0 {
		i = slices.IndexFunc(side, func(b netip.AddrPort) bool { return b.Addr() == a.Addr() })
	}
	return min(max(i, 0), maxLanes-1)
}

// arrow is one message. What came before in the same words is marked.
func arrow(i int, m, first check.Message, left, right int, seen map[string]bool) step {
	s := step{
		Number: i + 1, Y: topHeight + stepHeight*(i+1), From: left, To: right, Media: m.Protocol != src.SIP,
		Time: after(m.At.Sub(first.At)), Label: label(m),
	}
	tip, back := right, right-9
	if m.Direction == check.Received {
		s.From, s.To = right, left
		tip, back = left, left+9
	}
	s.Head = fmt.Sprintf("%d,%d %d,%d %d,%d", tip, s.Y, back, s.Y-4, back, s.Y+4)
	s.Reply = !s.Media && strings.HasPrefix(m.Text, "SIP/2.0 ")
	if key := m.Direction + m.Text; !s.Media {
		if seen[key] {
			s.Label += ", again"
		}
		seen[key] = true
	}
	return s
}

// after is the time since the first message.
func after(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("+%.1f ms", d.Seconds()*1000)
	}
	return fmt.Sprintf("+%.3f s", d.Seconds())
}

// label is a message in few words.
func label(m check.Message) string {
	if m.Protocol != src.SIP {
		return fmt.Sprintf("%s :%d to :%d, %d packets", m.Protocol, portFrom(m), portTo(m), m.Packets)
	}
	p, err := src.Parse([]byte(m.Text))
	if err != nil {
		line, _, _ := strings.Cut(m.Text, "\n")
		return clip(visible(strings.TrimSpace(line)))
	}
	text := p.Method
	if p.Status != 0 {
		_, method := p.CSeq()
		text = fmt.Sprintf("%d %s (%s)", p.Status, p.Reason, method)
	}
	if n, _ := p.CSeq(); p.Status == 0 && n > 0 {
		text += fmt.Sprintf(" %d", n)
	}
	var parts []string
	for _, part := range p.Parts() {
		_, kind, _ := strings.Cut(part.Type, "/")
		parts = append(parts, kind)
	}
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, " + ")
	}
	return clip(visible(text))
}

func portFrom(m check.Message) uint16 {
	if m.Direction == check.Received {
		return m.Remote.Port()
	}
	return m.Local.Port()
}

func portTo(m check.Message) uint16 {
	if m.Direction == check.Received {
		return m.Local.Port()
	}
	return m.Remote.Port()
}

// clip keeps a label between the lanes.
func clip(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
