package conformance_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"testing"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/report"
)

// This runs a section against a server and writes a page about it.
func ExampleRun() {
	target := check.Target{Address: "192.0.2.10:5060", Transport: "udp"}
	done, err := conformance.Run(context.Background(), target, conformance.Options{
		Sections: []string{"rfc7866/7"},
		Progress: func(r check.Result) { fmt.Println(r.Outcome, r.ID) },
	})
	if done == nil {
		log.Fatal(err) // the server cannot be reached, say
	}
	page, err := os.Create("conformance.html")
	if err != nil {
		log.Fatal(err)
	}
	defer page.Close()
	if err := report.HTML(page, done); err != nil {
		log.Fatal(err)
	}
}

// startRecorder starts the server of the example.
func startRecorder(t *testing.T) string { return start(t, model.Config{Network: "udp"}).Address }

func TestRecorder(t *testing.T) {
	target := check.Target{Address: startRecorder(t), Transport: "udp"}
	done, err := conformance.Run(t.Context(), target, conformance.Options{
		Sections: []string{"rfc7866/6", "rfc7866/7.2"},
		Features: []string{"udp", "update"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range done.Results {
		t.Run(r.ID, func(t *testing.T) {
			switch {
			case r.Outcome == check.Skip || r.Warning:
				t.Skip(r.Messages)
			case r.Outcome != check.Pass:
				t.Errorf("%s, %s: %s\n%v", r.Outcome, r.Section, r.Requirement, r.Messages)
			}
		})
	}
}
