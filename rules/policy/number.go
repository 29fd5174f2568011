package policy

import (
	"go.yaml.in/yaml/v3"

	"github.com/siprecd/siprecd/rules"
)

// numbers reads a list of telephone numbers and puts each into the form in which
// the caller's is compared: +1 555-0100 and +15550100 are one number.
func (r *reader) numbers(into *[]string, where string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.each(n, where, func(n *yaml.Node) {
			text := r.scalar(n, where)
			number := rules.Numbering{}.Address(text).Number
			switch {
			case text == "":
			case number == "":
				r.fault(n.Line, "%s: %s is no telephone number; write it whole, such as +15550100", where, quoted(text))
			default:
				*into = append(*into, number)
				r.vague(n.Line, where, number)
			}
		})
	}
}

// longestExtension is how many digits a number may have that belongs to no country.
const longestExtension = 6

// vague remembers a number of which the country may not be known.
func (r *reader) vague(line int, where, number string) {
	if len(number) > longestExtension {
		r.national = append(r.national, national{line, where, number})
	}
}

// A national is a number that belongs to a country. If neither the file says which,
// nor the directory how numbers are dialled, it is the same as the caller's only if
// the SRC writes it like this.
type national struct {
	line   int
	where  string // do-not-record or callers
	number string
}

// renumber writes numbers as the directory says that they are dialled.
func renumber(numbers []string, n rules.Numbering) []string {
	var all []string
	for _, number := range numbers {
		all = append(all, n.Address(number).Number)
	}
	return all
}
