package sdp

import (
	"fmt"
	"slices"
	"strings"

	pion "github.com/pion/sdp/v3"
)

// breaches lists what in an answer is wrong by RFC 3264 §6 and RFC 7866 §7.2.
// It reads the answer with a parser that is not ours, except where that one
// refuses what the offer makes us repeat.
func breaches(offer *Description, text []byte) []string {
	if !foreign(offer) {
		return []string{"the oracle cannot read this offer's answer"}
	}
	var a pion.SessionDescription
	if err := a.Unmarshal(text); err != nil {
		return []string{err.Error()}
	}
	if len(a.MediaDescriptions) != len(offer.Media) {
		return []string{fmt.Sprintf("%d m-lines for %d", len(a.MediaDescriptions), len(offer.Media))}
	}
	var wrong []string
	for i, got := range a.MediaDescriptions {
		for _, w := range mediaBreaches(&offer.Media[i], got) {
			wrong = append(wrong, fmt.Sprintf("m-line %d: %s", i+1, w))
		}
	}
	return wrong
}

// foreign reports whether the oracle knows the media types and protocols of the
// offer: it refuses others in whatever description they stand.
func foreign(offer *Description) bool {
	return !slices.ContainsFunc(offer.Media, func(m Media) bool {
		known := slices.Contains([]string{"audio", "video", "text", "application", "message"}, m.Type)
		return !known || !slices.Contains([]string{"RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVPF", "TCP/MSRP", "UDP"}, m.Proto)
	})
}

func mediaBreaches(o *Media, got *pion.MediaDescription) (wrong []string) {
	bad := func(is bool, what string) {
		if is {
			wrong = append(wrong, what)
		}
	}
	name := got.MediaName
	bad(name.Media != o.Type, "media type")
	bad(strings.Join(name.Protos, "/") != o.Proto, "protocol")
	label, _ := got.Attribute("label")
	bad(label != o.Label, "label")
	for _, a := range got.Attributes {
		bad(a.Key == "record" || a.Key == "recordpref" || a.Key == SendRecv || a.Key == SendOnly, a.Key)
	}
	bad(len(name.Formats) == 0, "no format")
	for _, f := range name.Formats {
		same := func(offered string) bool {
			return offered == f || strings.TrimLeft(offered, "0") == strings.TrimLeft(f, "0")
		}
		bad(len(o.Formats) > 0 && !slices.ContainsFunc(o.Formats, same), "format that was not offered")
	}
	live := o.Port != 0 && (o.Proto == "RTP/AVP" || o.Proto == "RTP/AVPF" || keyed(o)) && len(o.Codecs) > 0
	bad((name.Port.Value != 0) != live, "port")
	if !live {
		return wrong
	}
	redundant := 0
	if o.isRecorded() {
		for _, c := range o.Codecs {
			if c.isRedundancy() {
				redundant++
			}
		}
	}
	bad(len(name.Formats)+redundant != len(o.Codecs), "formats left out")
	_, takes := got.Attribute(RecvOnly)
	_, idle := got.Attribute(Inactive)
	bad(takes == idle, "direction missing")
	sends := o.Direction == SendOnly || o.Direction == SendRecv
	bad(takes && (!sends || o.Null || o.Type != "audio"), "receives what is not sent")
	media := slices.ContainsFunc(o.Codecs, Codec.isMedia)
	bad(idle && sends && !o.Null && o.Type == "audio" && media, "does not receive what is sent")
	_, mux := got.Attribute("rtcp-mux")
	bad(mux && !o.RTCPMux, "rtcp-mux that was not offered")
	return wrong
}

// keyed reports whether an m-line offers SRTP with a key that can be used.
func keyed(o *Media) bool {
	_, err := o.ChooseCrypto(Terms{})
	return (o.Proto == "RTP/SAVP" || o.Proto == "RTP/SAVPF") && err == nil
}
