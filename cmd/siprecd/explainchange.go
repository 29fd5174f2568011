package main

import (
	"strconv"
	"strings"
)

// changeTexts says the changes of a message in words, one row for each
// participant, and whether any is about who sends what.
func (d *explainedDialog) changeTexts(m *explainedMessage) (texts []string, moved bool) {
	sent := make(map[string]bool)
	for _, c := range m.Changes {
		if strings.HasPrefix(c.Kind, "sending-") {
			sent[c.Label], moved = true, true
		}
	}
	if m.Method == "BYE" && len(m.Changes) > 0 {
		return []string{"the recording session ends, and with it all that went on"}, false
	}
	rows := make(map[int]int) // of a participant, the place of its row
	for _, c := range m.Changes {
		if strings.HasPrefix(c.Kind, "stream-st") && sent[c.Label] {
			continue // says no more than that somebody sends it
		}
		text := d.changeText(c)
		if c.Guessed {
			text += " (guessed)"
		}
		at, known := rows[c.Participant]
		switch {
		case c.Participant == 0:
			texts = append(texts, text)
		case known:
			texts[at] += ", " + text
		default:
			rows[c.Participant] = len(texts)
			texts = append(texts, d.name(c.Participant)+" "+text)
		}
	}
	return texts, moved
}

// changeText is a change in words, without its participant.
func (d *explainedDialog) changeText(c explainedChange) string {
	call, stream := "call "+strconv.Itoa(c.Call), streamText(c.Label, c.Line)
	in, same := "", ""
	if c.Call > 0 {
		in = " " + call
	}
	if c.SamePersonAs > 0 {
		same = " (the same person as " + d.name(c.SamePersonAs) + ")"
	}
	switch c.Kind {
	case "sending-started":
		return "sends " + stream
	case "sending-stopped":
		return "no longer sends " + stream
	case "joined":
		return "joins" + in + same
	case "left":
		return "leaves" + in
	case "renamed":
		return "has other addresses or names"
	case "stream-started":
		return "there is " + stream
	case "stream-stopped":
		return "there is no longer " + stream
	case "stream-rebound":
		return streamText(c.Label, 0) + " is now on m-line " + strconv.Itoa(c.Line)
	case "group-joined":
		return call + " belongs to group " + strconv.Itoa(c.Group)
	case "group-left":
		return call + " no longer belongs to group " + strconv.Itoa(c.Group)
	case "communication-session-started":
		return call + " begins"
	case "communication-session-stopped":
		return call + " ends"
	}
	return strings.ReplaceAll(c.Kind, "-", " ")
}
