package robustness

import (
	"regexp"
	"strconv"
	"strings"
)

// An edit changes the text of a request before it is sent.
type edit = func(text string) string

// edits makes them one after the other.
func edits(list ...edit) edit {
	return func(text string) string {
		for _, e := range list {
			text = e(text)
		}
		return text
	}
}

// field replaces the value of a header field; an empty one leaves the field out. {} in it
// is the value as it was.
func field(name, value string) edit {
	line := regexp.MustCompile(`\r\n` + name + `: ([^\r]*)\r\n`)
	return func(text string) string {
		at := line.FindStringSubmatchIndex(text)
		if at == nil {
			return text
		}
		replacement := "\r\n"
		if value != "" {
			replacement = "\r\n" + name + ": " + strings.ReplaceAll(value, "{}", text[at[2]:at[3]]) + "\r\n"
		}
		return text[:at[0]] + replacement + text[at[1]:]
	}
}

// add puts lines before Content-Length, as they are.
func add(lines ...string) edit {
	return func(text string) string {
		return strings.Replace(text, "\r\nContent-Length: ", "\r\n"+strings.Join(lines, "\r\n")+"\r\nContent-Length: ", 1)
	}
}

// startLine replaces the first line; {uri} in it is the Request-URI as it was.
func startLine(line string) edit {
	return func(text string) string {
		first, rest, _ := strings.Cut(text, "\r\n")
		f := strings.Fields(first)
		return strings.ReplaceAll(line, "{uri}", f[1]) + "\r\n" + rest
	}
}

// replaced replaces all of some texts by others, in pairs.
func replaced(pairs ...string) edit { return strings.NewReplacer(pairs...).Replace }

// matched replaces all that matches.
func matched(expression, replacement string) edit {
	e := regexp.MustCompile(expression)
	return func(text string) string { return e.ReplaceAllString(text, replacement) }
}

// before puts text before the message, and behind text after it, which Content-Length
// does not count.
func before(text string) edit { return func(message string) string { return text + message } }

func behind(text string) edit {
	return func(message string) string {
		head, body, _ := strings.Cut(message, "\r\n\r\n")
		head = strings.Replace(head, "{length}", strconv.Itoa(len(body)), 1)
		return head + "\r\n\r\n" + body + text
	}
}
