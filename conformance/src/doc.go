// Package src is a Session Recording Client (RFC 7866 §3): a SIP user agent
// that sends recorded media and metadata to a Session Recording Server. It is
// the opposite of the server under test and shares nothing with it: SIP is
// written as text and read by a small parser of its own.
//
// It asserts nothing. What the server did is returned as it came, right or
// wrong, and the caller judges; errors are only about the network, the context
// and wrong use. Faults are sent as gladly as correct messages.
//
//	client, err := src.New(ctx, src.Config{Target: "192.0.2.10:5060", Transport: "udp"})
//	defer client.Close()
//	dialog, err := client.Invite(ctx, src.Request{
//		Streams:  src.TwoParties(src.PCMU()),
//		Metadata: src.NewConversation(client.IDs(), now, caller, agent).Complete(),
//	})
//	err = dialog.Play(ctx, src.PlayOptions{}, src.Voice(src.Deep), src.Voice(src.Bright))
//	_, err = dialog.Bye(ctx, src.Request{})
package src
