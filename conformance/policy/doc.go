// Package policy plays the scenarios of rules/scenario to a running server, over
// real SIP and RTP and with commands over HTTP, and judges what it wrote: its
// journal and its WAV files. It shares nothing with the server.
//
// [Files] makes the policy file and the directory of addresses under which the
// server has to run: an account for each scenario. A [Player] plays a scenario:
// each party is an m-line of its own, sends without a break from when the m-line was
// offered until the recording session is over, and each of its packets can be told
// from all others. [Collect] reads what the server wrote, and [Judge] compares it,
// packet by packet, with the scenario and with the server's own journal.
//
// The time of a scenario is remapped piece by piece: what happens at one instant of
// the scenario is signalled at once, and a few hundred milliseconds lie between any
// two instants, however far they are apart in the scenario. What is scaled in the
// policy file, what is only told (days of retention), and which scenarios cannot be
// played is said where it is decided: [Excluded].
package policy
