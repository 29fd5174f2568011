// Package metadata reads the recording metadata of RFC 7865 and keeps the model
// it describes: communication sessions, their groups, participants and media
// streams, and the associations between them.
//
// [Decode] turns one XML document into a [Document]; it reads the format of
// RFC 7865 §9 and the older layouts that Session Recording Clients still send
// (see [Layout]). [Model.Apply] merges documents, complete (a snapshot) or
// partial (RFC 7865 §5), in the order of their arrival:
//
//	m := metadata.New()
//	d, err := metadata.Decode(body)
//	if err != nil {
//		// keep the bytes and go on recording (RFC 7866 §9.2)
//	}
//	m, changes := m.Apply(d, arrival, labels)
//	who := m.Senders(0, 0, instant)
//
// What SRCs tell beyond RFC 7865, in extension data, in elements of drafts or in
// the shape of an id, is a [Fact] with the dialect and the field it came from:
// [Model.Facts] has those of the documents, [HeaderFacts] those of the header
// fields of a message. One table, vendors, says which elements are understood.
// [FromHeaders] makes a document for devices that send none.
//
// An SRC may renew all ids in one document; [Model.Person] and the SamePerson of a
// [Change] then say who is who, so that one person's audio stays together.
//
// The package is pure: no I/O, no clock, no goroutine. All instants are those
// the caller gives; times inside documents are kept as they were sent and order
// nothing. A [Model] never changes, so that metadata which came with a refused
// request is undone by keeping the model from before.
//
// The comments M1 to M28 name the merge rules; each has a test of that name.
package metadata
