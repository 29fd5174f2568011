// Package sdp reads session descriptions as real devices send them (RFC 8866,
// RFC 3264) and writes the answers and offers of a recording server.
//
// The reader is tolerant: each m-line needs an answer (RFC 3264 §6), so none is
// dropped because another line cannot be read. What was odd is listed. The
// writer is strict.
//
//	offer, err := sdp.Parse(body)
//	for i := range offer.Media {
//		m := &offer.Media[i]
//		slots = append(slots, m.Slot(bind(m.Plan())))
//	}
//	answer := sdp.Write(local, slots)
package sdp
