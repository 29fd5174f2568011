package control

import (
	"slices"

	"github.com/siprecd/siprecd/recorder"
)

// A right is what a token may do: a group of actions, or one action alone.
type right string

// The rights that are groups. Every [recorder.Action] is in one of them, and is a right
// of its own as well.
const (
	rightRead          right = "read"    // look up
	rightControl       right = "control" // pause, resume, payments
	rightConsent       right = "consent"
	rightConsentNo     right = "consent-no"     // what discards for good, or may
	rightFacts         right = "facts"          // what happens on the call
	rightRecord        right = "record"         // decide that a call is recorded
	rightUserRecording right = "user-recording" // in the name of its maker
	rightDoNotRecord   right = "do-not-record"
	rightRetention     right = "retention" // put a legal hold on a recording, and release it
	rightErase         right = "erase"
)

// A group is a right with the actions it stands for.
type group struct {
	right   right
	actions []recorder.Action
}

func groups() []group {
	return []group{
		{rightRead, nil},
		{rightControl, []recorder.Action{recorder.ActPause, recorder.ActResume, recorder.ActSecureStart, recorder.ActSecureStop}},
		{rightConsent, []recorder.Action{recorder.ActConsentAsked, recorder.ActConsentGiven, recorder.ActPartyAgreed}},
		{rightConsentNo, consentNo()},
		{rightFacts, []recorder.Action{
			recorder.ActFlowEntered, recorder.ActFlowLeft, recorder.ActQueueEntered, recorder.ActQueueLeft,
			recorder.ActHold, recorder.ActRetrieve,
			recorder.ActConsult, recorder.ActConsultDialled, recorder.ActAnswered, recorder.ActConsultEnded,
			recorder.ActAlternateBack, recorder.ActAlternateAway, recorder.ActConference,
			recorder.ActTransfer, recorder.ActTransferBlind, recorder.ActTransferToQueue,
			recorder.ActPartyDialled, recorder.ActPartyJoined, recorder.ActPartyLeft,
			recorder.ActMenu, recorder.ActPlan, recorder.ActDirection, recorder.ActTag,
		}},
		{rightRecord, []recorder.Action{recorder.ActRecord}},
		{rightUserRecording, []recorder.Action{recorder.ActUserRecordingStart, recorder.ActUserRecordingStop}},
		{rightDoNotRecord, []recorder.Action{recorder.ActDoNotRecord}},
		{rightRetention, nil},
		{rightErase, nil},
	}
}

// consentNo are the actions that say no to being recorded.
func consentNo() []recorder.Action {
	return []recorder.Action{recorder.ActConsentRefused, recorder.ActConsentUnanswered, recorder.ActConsentWithdrawn}
}

// rightOf is the group of an action; empty when there is no such action.
func rightOf(a recorder.Action) right {
	for _, g := range groups() {
		if slices.Contains(g.actions, a) {
			return g.right
		}
	}
	return ""
}

// rightNames are all that may stand in a file of tokens, groups first.
func rightNames() []string {
	var names []string
	for _, g := range groups() {
		names = append(names, string(g.right))
	}
	for _, a := range recorder.Actions() {
		if !slices.Contains(names, string(a)) {
			names = append(names, string(a))
		}
	}
	return names
}
