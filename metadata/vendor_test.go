package metadata_test

import (
	"strings"
	"testing"

	"github.com/siprecd/siprecd/metadata"
)

// Documents in the shape of each maker's, with content of our own.
const (
	acmeDocument = `<?xml version='1.0' encoding='UTF-8'?>
<recording xmlns='urn:ietf:params:xml:ns:recording'><datamode>complete</datamode>
<session id="S-1"><associate-time>2031-01-02T03:04:05</associate-time>
 <extensiondata xmlns:apkt="http:/acmepacket.com/siprec/extensiondata"><apkt:ucid>00FA08AA00BB00CC00DD00;encoding=hex</apkt:ucid><apkt:callerOrig>false</apkt:callerOrig></extensiondata></session>
<participant id="P-1" session="S-1"><nameID aor="sip:5550101@trunk.example.com"><name>5550101</name></nameID><send>M-1</send>
 <extensiondata xmlns:apkt="http://acmepacket.com/siprec/extensiondata"><apkt:callingParty>true</apkt:callingParty>
  <apkt:request-uri>sip:5550102@pbx.example.com</apkt:request-uri><apkt:realm>trunks</apkt:realm>
  <apkt:header label="X-ISR-UCID"><value>AA00BB00CC00DD00</value></apkt:header>
  <apkt:header label="X-Own"><value>one</value><value>two</value></apkt:header>
  <apkt:header label=""><value>nameless</value></apkt:header><apkt:header label="X-Bare">three</apkt:header></extensiondata></participant>
<participant id="P-2" session="S-1"><nameID aor="sip:5550102@pbx.example.com"/><send>M-2</send>
 <extensiondata xmlns:apkt="http://acmepacket.com/siprec/extensiondata"><apkt:callingParty>False</apkt:callingParty><apkt:ingress-realm>agents</apkt:ingress-realm></extensiondata></participant>
<stream id="M-1" session="S-1"><label>20000001</label></stream><stream id="M-2" session="S-1"><label>20000002</label></stream></recording>`

	codesDocument = `<recording xmlns="urn:ietf:params:xml:ns:recording" xmlns:ac="http://AudioCodes"><datamode>complete</datamode>
<group id="G-1"/><session id="S-1"><group-ref>G-1</group-ref><ac:AvayaUCID xmlns="urn:example:other">00QX5501</ac:AvayaUCID><ac:GenesysUUID>UU-5501</ac:GenesysUUID></session>
<participant id="+15550101" session="S-1"><nameID aor="+15550101@trunk.example.com"/><send>M-1</send><recv>M-2</recv></participant>
<participant id="201" session="S-1"><nameID aor="201@192.0.2.4"/><send>M-2</send><recv>M-1</recv></participant>
<stream id="M-1" session="S-1"><label>1</label></stream><stream id="M-2" session="S-1"><label>2</label></stream></recording>`

	callDataDocument = `<r:recording xmlns:r='urn:ietf:params:xml:ns:recording'><r:datamode>complete</r:datamode>
<r:group group_id="G-1"><callData xmlns='urn:ietf:params:xml:ns:callData'><fromhdr>"Desk &lt;1&gt;" &lt;sip:201@pbx.example.com&gt;;tag=x</fromhdr><tohdr>&lt;sip:5550102@trunk.example.com&gt;</tohdr><callid>abc-1</callid><gcid>77</gcid><trunk>west</trunk><none/></callData></r:group>
<r:session session_id="S-1"><r:group-ref>G-1</r:group-ref></r:session>
<r:participant participant_id="P-1"><r:nameID aor="201@pbx.example.com"/></r:participant>
<r:participant participant_id="P-2"><r:nameID aor="5550102@trunk.example.com"/></r:participant>
<r:stream stream_id="M-1" session_id="S-1"><r:label>1</r:label></r:stream><r:stream stream_id="M-2" session_id="S-1"><r:label>2</r:label></r:stream>
<r:participantsessionassoc participant_id="P-1" session_id="S-1"/><r:participantsessionassoc participant_id="P-2" session_id="S-1"/>
<r:participantstreamassoc participant_id="P-1"><r:send>M-2</r:send><r:recv>M-1</r:recv></r:participantstreamassoc>
<r:participantstreamassoc participant_id="P-2"><r:send>M-1</r:send><r:recv>M-2</r:recv></r:participantstreamassoc></r:recording>`

	sbceDocument = `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><dataMode>complete</dataMode><session session_id="00FA08AA00BB00CC00DD00"></session>
<participant participant_id="90ab00cd11ef22aa33bb"><nameID aor="sip:201@pbx.example.com"/></participant>
<participantsessionassoc participant_id="90ab00cd11ef22aa33bb" session_id="00FA08AA00BB00CC00DD00"/>
<participantstreamassoc participant_id="90ab00cd11ef22aa33bb"><send>11ee22dd33cc44bb55aa</send></participantstreamassoc>
OTHER
<stream stream_id="11ee22dd33cc44bb55aa" session_id="00FA08AA00BB00CC00DD00"><label>10</label></stream></recording>`

	metaDocument = `<recording id="R-1" xmlns="urn:ietf:params:xml:ns:recording"><datamode>complete</datamode><session session_id="S-1"/>
<participant participant_id="P-1"><nameID aor="5105550101"/></participant><participant participant_id="P-2"><nameID aor=" 5105550102 "/></participant>
<participantsessionassoc participant_id="P-1" session_id="S-1"/><participantsessionassoc participant_id="P-2" session_id="S-1"/>
<participantstreamassoc participant_id="P-1"><send>M</send><recv>M</recv></participantstreamassoc><participantstreamassoc participant_id="P-2"><send>M</send><recv>M</recv></participantstreamassoc>
<stream id="M" session_id="S-1"><label>1</label></stream>
<extensiondata><metaswitchRecordingMetadata><callType>TYPE</callType><recordedParty>+15105550102</recordedParty><businessGroup>Shop - 1</businessGroup><userName>Ann</userName><systemName>west</systemName><callingPartyNumber>5105550101</callingPartyNumber><dialedDigits>15105550102</dialedDigits></metaswitchRecordingMetadata></extensiondata></recording>`

	sapiensDocument = `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode><session session_id="S-1"/>
<participant participant_id="P-1"><nameID aor="sip:201@one.example.com"/></participant><participant participant_id="P-2"><nameID aor="sip:202@one.example.com"/></participant>
<netsapiensExtension xmlns="http://schema.netsapiens.com/netsapiensSipRec" version="1.1"><groupSeq>1</groupSeq><serviceProviderID>one</serviceProviderID>
<user userID="201@one.example.com"><resellerID>reseller</resellerID><site>West</site><department>Sales</department><callType>FIRST</callType></user>
<user userID="202@one.example.com"><callType>SECOND</callType></user>
<callingParty participant_id="P-1"><nameID aor="sip:201@one.example.com"><uid>201@one.example.com</uid></nameID><number>5105550101</number></callingParty>
<calledParty participant_id="P-2"><nameID aor="x"><uid>202@OTHER</uid></nameID><number>5105550102</number></calledParty>
<byAction>ACTION</byAction><byAor>sip:203@one.example.com</byAor><byUserID>203@one.example.com</byUserID><xferredSessionID>S-0</xferredSessionID><xferredGroupID>G-0</xferredGroupID></netsapiensExtension></recording>`

	jambDocument = `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode><session session_id="S-1"/>
<extensiondata xmlns:jb="http://jambonz.org/siprec"><jb:callsid>C-1</jb:callsid><jb:direction>DIRECTION</jb:direction><jb:accountsid>A-1</jb:accountsid><jb:applicationsid>AP-1</jb:applicationsid><jb:recordingid>R-1</jb:recordingid><jb:originationsource>trunk</jb:originationsource><jb:carrier>West &amp; Co</jb:carrier><jb:callednumber>CALLED</jb:callednumber><jb:callingnumber>CALLING</jb:callingnumber></extensiondata>
<participant participant_id="P-1"><nameID aor="sip:+15105550101@trunk.example.com"/></participant><participant participant_id="P-2"><nameID aor="sip:15105550102@app.example.com"/></participant>
<stream stream_id="M-1" session_id="S-1"><label>1</label></stream><stream stream_id="M-2" session_id="S-1"><label>2</label></stream></recording>`
)

// broadDocument is a call of a BroadWorks user; with another n every id is another.
func broadDocument(n, user, far, callType, more string) string {
	return strings.NewReplacer("#", n).Replace(`<?xml version="1.0" encoding="UTF-8"?><recording_metadata xmlns="urn:ietf:params:xml:ns:siprec"><dataMode>complete</dataMode>
<recording id="urn:uuid:r#"><requestor>SRC</requestor><type>selective</type></recording>
<group id="urn:uuid:g#" recording="urn:uuid:r#"><initiator>sip:201@users.example.com</initiator></group>
<session id="urn:uuid:s#" group="urn:uuid:g#"><start-time>2031-01-02T03:04:05+00:00</start-time></session>
<participant id="urn:uuid:p#" session="urn:uuid:s#"><aor>` + user + `</aor><send><id>urn:uuid:m#</id></send></participant>
<participant id="urn:uuid:q#" session="urn:uuid:s#"><aor>` + far + `</aor><send><id>urn:uuid:n#</id></send></participant>
<stream id="urn:uuid:m#" session="urn:uuid:s#"><label>1</label><mode>separate</mode></stream><stream id="urn:uuid:n#" session="urn:uuid:s#"><label>2</label><mode>separate</mode></stream>
<extensiondata id="urn:uuid:x#" parent="urn:uuid:s#"><broadWorksRecordingMetadata xmlns="http://schema.broadsoft.com/broadworksCallRecording" version="3.0">
<extTrackingID>T-1</extTrackingID><serviceProviderID>SP</serviceProviderID><groupID>Shop</groupID><userID>201@users.example.com</userID><callID>callhalf-1:0</callID>
<callType>` + callType + `</callType><recordingType>on-demand</recordingType>` + more + `</broadWorksRecordingMetadata></extensiondata></recording_metadata>`)
}

const (
	termCall = `<termCall><callingPartyNumber>sip:5550102@192.0.2.1;user=phone</callingPartyNumber><calledPartyNumber>sip:+15550101@192.0.2.1</calledPartyNumber><redirectInfo><lastRedirectNumber>sip:5550103@192.0.2.1</lastRedirectNumber><origCalledNumber>sip:5550104@192.0.2.1</origCalledNumber><numOfRedirections>2</numOfRedirections></redirectInfo></termCall>`
	origCall = `<origCall><callingPartyNumber>sip:+15550101@192.0.2.1</callingPartyNumber><calledPartyNumber>sip:5550102@192.0.2.1;user=phone</calledPartyNumber><dialedDigits>sip:5550102@192.0.2.1</dialedDigits></origCall>`
	queue    = `<acd><acdUserId>queue@users.example.com</acdUserId><acdName>Sales</acdName><acdNumber countryCode="1">tel:+15550105</acdNumber></acd>`
	redirect = `<redirectedCall><newExtTrackingID>T-2</newExtTrackingID><redirectedFromPartyNumber>sip:5550102@192.0.2.1;user=phone</redirectedFromPartyNumber><redirectedToPartynumber>sip:5550106@192.0.2.1;user=phone</redirectedToPartynumber></redirectedCall>`

	userAOR, farAOR = "sip:201@users.example.com", "5550102@192.0.2.1;user=phone"
)

// tell returns facts in short: "kind value @about", with the direct name of what
// they are about.
func tell(facts []metadata.Fact) []string {
	var out []string
	for _, f := range facts {
		s := f.Kind.String() + " " + f.Value
		if f.Of != 0 {
			s += " @" + string(f.About)
		}
		out = append(out, s)
	}
	return out
}

func lacks(t *testing.T, facts []metadata.Fact, want ...string) {
	t.Helper()
	got := tell(facts)
	for _, w := range want {
		found := false
		for _, g := range got {
			found = found || g == w
		}
		if !found {
			t.Errorf("no fact %q in\n%s", w, strings.Join(got, "\n"))
		}
	}
}
