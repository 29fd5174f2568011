package endtoend

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/policy"
	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/conformance/src/srctest"
	"github.com/siprecd/siprecd/rules/scenario"
)

var updatePolicy = flag.Bool("update", false, "write docs/policy-e2e.md anew")

// policyDoc is the table of all scenarios as they were played.
const policyDoc = "../../docs/policy-e2e.md"

// A stage is a server for scenarios, reached over UDP, TCP and TLS.
type stage struct {
	*served
	tls   *tls.Config
	token string
	calls int
}

// newStage starts a server under the policy of the scenarios.
func newStage(t testing.TB, program string, all []scenario.Scenario) *stage {
	t.Helper()
	file, directory, err := policy.Files(all)
	if err != nil {
		t.Fatal(err)
	}
	authority := srctest.NewAuthority(t)
	certificate, key, _ := authority.Write(authority.Issue("127.0.0.1"))
	st := &stage{token: "a-token-of-this-test-and-of-nothing-else", tls: authority.Client()}
	sum := sha256.Sum256([]byte(st.token))
	tokens := fmt.Sprintf("- name: acd\n  sha256: %s\n  accounts: [\"*\"]\n  commands: [read, control, consent, consent-no, facts, record, user-recording, do-not-record]\n  per-second: 10000\n", hex.EncodeToString(sum[:]))
	st.served = startServed(t, program, "--listen", "127.0.0.1:0", "--listen", "tls:127.0.0.1:0",
		"--tls-certificate", certificate, "--tls-key", key, "--log-level", "warn",
		"--policy", writeFile(t, "policy.yaml", file), "--directory", writeFile(t, "directory.yaml", directory),
		"--control", "127.0.0.1:0", "--control-tokens", writeFile(t, "tokens.yaml", tokens), "--sweep", "0s", "--hold-back", "100ms", "--srcs", writeFile(t, "srcs.yaml", policy.SRCs()))
	return st
}

// A manner is a dialect over transports.
type manner struct {
	dialect   policy.Dialect
	transport string
	suite     string
	faults    src.Faults
	late      time.Duration
}

// String names the manner as in the table.
func (m manner) String() string {
	name := string(m.dialect) + ", " + strings.ToUpper(m.transport)
	if m.suite != "" {
		name += " and SRTP"
	}
	if m.faults.Jitter > 0 {
		name += fmt.Sprintf(", packets up to %v late, 1 in %.0f lost", m.faults.Jitter, 1/m.faults.Loss)
	}
	if m.late > 0 {
		name += fmt.Sprintf(", what begins to withhold told %v late", m.late)
	}
	return name
}

// manners are those of the table.
func manners() []manner {
	return []manner{
		{dialect: policy.Standard, transport: "udp"},
		{dialect: policy.Consults, transport: "udp"},
		{dialect: policy.Legs, transport: "udp"},
		{dialect: policy.OpenSIPS, transport: "udp"},
		{dialect: policy.BroadWorks, transport: "tcp"},
		{dialect: policy.Standard, transport: "tls", suite: "AES_CM_128_HMAC_SHA1_80"},
		{dialect: policy.Standard, transport: "tcp", faults: src.Faults{Seed: 1, Jitter: 60 * time.Millisecond, Loss: 0.02}},
		// Later than audio is held back: what was written is taken back.
		{dialect: policy.Standard, transport: "udp", late: 700 * time.Millisecond},
	}
}

func (st *stage) player(m manner) *policy.Player {
	p := &policy.Player{
		SRC: src.Config{Target: st.listens[m.transport], Transport: m.transport}, Data: st.data,
		Dialect: m.dialect, Suite: m.suite, Faults: m.faults, Late: m.late,
		Control: &policy.Control{URL: "http://" + st.listens["control"], Token: st.token},
	}
	if m.transport == "tls" {
		p.SRC.TLS = st.tls
	}
	return p
}

// A part is a scenario to be played in a manner, and what came of it.
type part struct {
	manner    manner
	scenario  scenario.Scenario
	number    int
	played    *policy.Played
	judgement *policy.Judgement
	err       error
}

// play plays the parts, some at a time, stops the server and judges what it wrote.
func (st *stage) play(parts []*part) {
	st.t.Helper()
	const atATime = 16
	turns := make(chan *part)
	var players sync.WaitGroup
	for range atATime {
		players.Go(func() {
			for p := range turns {
				p.played, p.err = st.player(p.manner).Play(st.t.Context(), p.scenario, p.number)
			}
		})
	}
	for i, p := range parts {
		p.number = st.calls + i + 1
		turns <- p
	}
	close(turns)
	players.Wait()
	st.calls += len(parts)
	st.stop()
	written, err := policy.Collect(st.data)
	if err != nil {
		st.t.Fatal(err)
	}
	for _, p := range parts {
		if p.err == nil {
			p.judgement = policy.Judge(p.played, written[p.played.CallID])
		}
	}
}

// TestScenarios plays scenarios to a real server: of what anybody said on a call
// exactly that is in its files which the scenario wants. SIPRECD_TEST_POLICY is how
// many of them: all, or one of so many, 12 by default and 24 in short tests. The
// standard dialect over UDP has three times as many as the other manners.
func TestScenarios(t *testing.T) {
	all := scenarios(t)
	parts := choose(t, all)
	st := newStage(t, buildProgram(t, ""), all)
	st.play(parts)
	forbidden := make(map[policy.Voice]bool)
	var edges []time.Duration
	for _, p := range parts {
		t.Run(p.manner.String()+"/"+p.scenario.ID, func(t *testing.T) {
			if p.err != nil {
				t.Fatal(p.err)
			}
			for _, problem := range p.judgement.Problems {
				t.Error(problem)
			}
			for _, v := range p.played.Forbidden() {
				forbidden[v] = true
			}
			edges = append(edges, p.judgement.Edges...)
		})
	}
	leaks, err := policy.Leaks(st.data, forbidden)
	if err != nil {
		t.Fatal(err)
	}
	for _, leak := range leaks {
		t.Errorf("a voice that nothing may be kept of: %s", leak)
	}
	if len(forbidden) == 0 || len(edges) == 0 {
		t.Errorf("%d voices to be kept out, %d edges: there was nothing to find", len(forbidden), len(edges))
	}
	slices.Sort(edges)
	t.Logf("%d calls, %d edges; a signal took effect after %v (median), %v (99 of 100)", len(parts), len(edges), quantile(edges, 0.5), quantile(edges, 0.99))
	if *updatePolicy {
		writePolicyDoc(t, all, parts)
	}
}

// quantile is that of sorted durations; 0 of none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))].Round(10 * time.Microsecond)
}

// choose picks what is played.
func choose(t testing.TB, all []scenario.Scenario) (parts []*part) {
	t.Helper()
	each := 12
	if testing.Short() {
		each = 24
	}
	switch s := os.Getenv("SIPRECD_TEST_POLICY"); {
	case s == "all" || *updatePolicy:
		each = 1
	case s != "":
		if _, err := fmt.Sscan(s, &each); err != nil || each < 1 {
			t.Fatalf("SIPRECD_TEST_POLICY=%s is neither all nor a number", s)
		}
	}
	for k, m := range manners() {
		apart := each
		if k == 0 {
			apart = max(1, each/3)
		}
		n := 0
		for _, s := range all {
			if policy.Excluded(s, m.dialect) != "" {
				continue
			}
			if n++; (n+k)%apart == 0 {
				parts = append(parts, &part{manner: m, scenario: s})
			}
		}
	}
	return parts
}

// TestBrokenGate: a server whose gate closes 100 ms too late fails what it should.
func TestBrokenGate(t *testing.T) {
	var some []scenario.Scenario
	for _, s := range scenarios(t) {
		if slices.Contains([]string{"S2-02", "S3-02", "own-02", "own-28", "own-76"}, s.ID) {
			some = append(some, s)
		}
	}
	st := newStage(t, buildProgram(t, "brokengate"), some)
	var parts []*part
	for _, s := range some {
		parts = append(parts, &part{manner: manners()[0], scenario: s})
	}
	st.play(parts)
	for _, p := range parts {
		if p.err != nil {
			t.Errorf("%s: %v", p.scenario.ID, p.err)
		} else if p.judgement.Passed() {
			t.Errorf("%s passes although the gate is broken", p.scenario.ID)
		}
	}
}

// policyTable is the table of docs/policy-e2e.md: for each scenario what came of it in
// each manner, which result says.
func policyTable(all []scenario.Scenario, result func(scenario.Scenario, manner) string) string {
	var b strings.Builder
	b.WriteString("| scenario | what |")
	for _, m := range manners() {
		fmt.Fprintf(&b, " %s |", m)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(manners())) + "\n")
	for _, s := range all {
		if s.Access != nil {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s |", s.ID, strings.ReplaceAll(s.Title, "|", "/"))
		for _, m := range manners() {
			word := policy.Excluded(s, m.dialect)
			if word == "" {
				word = result(s, m)
			}
			fmt.Fprintf(&b, " %s |", word)
		}
		b.WriteString("\n")
	}
	return b.String()
}

const policyDocHead = `# Scenarios on live calls

Written by ` + "`go test ./cmd/endtoend -run TestScenarios -update`" + `; do not edit.

Each scenario of [rules/scenario/files](scenarios.md) is played to a server: real SIP and
RTP in, commands over HTTP, and WAV files out. Package conformance/policy does that, and
shares nothing with the server; ` + "`siprec-conformance policy`" + ` does it from the command line, with
scenarios of your own.

* **The call.** Each party has an m-line of its own and sends on it without a break from when
  it joins, also when it has left again, to the end. No two packets are alike.
* **Time** is remapped piece by piece: what happens at one instant of a scenario is signalled
  at once, some 400 ms lie between two instants, and the clock of the server is untouched. Of
  what is signalled at one instant that which begins to withhold is said first.
* **The policy** is a file with an account for each scenario. A test holds it to mean the
  flags of the scenario, and no others.
* **Who is who** says the directory of addresses: agents, supervisors and users by address;
  everybody else has a number that nobody knows.

| what happens | how the server is told |
|---|---|
| the call, who joins and leaves, a number that becomes known | INVITE, re-INVITE and UPDATE with SDP and metadata; of each further agent, in that manner, INVITE and BYE of a recording session of the same group |
| who calls whom | the directory's profile of the trunk; in the BroadWorks manner extension data |
| the SRC pauses | an inactive m-line; in the BroadWorks manner c=0.0.0.0 |
| hold and retrieve | metadata, where one of the own people is with one outsider and nothing else happens meanwhile; else a command |
| consult, its end, conference, transfer | a second communication session of the group, with consults on the wire; else a command |
| the draw of a share | nothing: the call is begun anew until the server's own draw falls on the side of the scenario |
| all else | a command |

**A scenario passes** when

* each packet that was sent between two instants, but for a frame beside them, is in a file
  exactly if the scenario records its party then; the same of user recordings, each by its maker;
* no packet is in any file of which the journal says that its arrival or its media time is
  withheld, and each is that came under a permit from when its signal was answered. What was
  sent before the end of a recording may come up to 500 ms late;
* each edge in the journal lies between when a signal left and when its answer came, 5 ms
  more or less; and where a command says from when it holds, one that begins to withhold
  lies there, 5 ms more or less, whatever was written since;
* the facts of the journal are the events of the scenario, instant by instant and about the
  same parties, and the causes in force are those of the scenario;
* the commands are refused that are to be refused, and no others;
* what is kept, for how long, held or discarded is as the scenario says; of what is discarded
  there is no file, and a tombstone;
* of a voice of which nothing is to be kept no trace is in any file of the data folder.

The row of a scenario that is not played in a manner says why.

`

func writePolicyDoc(t *testing.T, all []scenario.Scenario, parts []*part) {
	t.Helper()
	passed := make(map[string]bool)
	for _, p := range parts {
		passed[p.manner.String()+p.scenario.ID] = p.err == nil && p.judgement.Passed()
	}
	text := policyDocHead + policyTable(all, func(s scenario.Scenario, m manner) string {
		if passed[m.String()+s.ID] {
			return "passed"
		}
		return "FAILED"
	})
	if err := os.WriteFile(policyDoc, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPolicyDoc: the table has each scenario and why one is not played, and no row of
// it failed.
func TestPolicyDoc(t *testing.T) {
	text, err := os.ReadFile(policyDoc)
	if err != nil {
		t.Fatal(err)
	}
	want := policyDocHead + policyTable(scenarios(t), func(scenario.Scenario, manner) string { return "passed" })
	if got := string(text); got != want {
		a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("docs/policy-e2e.md, line %d: %q, want %q (-update writes it anew)", i+1, a[i], b[i])
			}
		}
		t.Fatalf("docs/policy-e2e.md has %d lines, want %d (-update writes it anew)", len(a), len(b))
	}
}
