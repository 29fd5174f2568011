package store

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/seal"
)

// fill gives every field of a value something that is not its zero; texts say where
// they stand.
func fill(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), path)
	case reflect.Map:
		one := reflect.New(v.Type().Elem()).Elem()
		fill(one, path)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("text of "+path+".key"), one)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), path)
	case reflect.String:
		v.SetString("text of " + path)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(1)
	default:
		panic("fill " + path + ": " + v.Kind().String())
	}
}

func filled(id string) Manifest {
	var m Manifest
	fill(reflect.ValueOf(&m).Elem(), "")
	m.Version, m.Recording, m.Storage, m.Files[0].Name = Version, id, Encrypted, "01.wav.sealed"
	return m
}

// Of all texts that a manifest may hold these and no others are open; none is a name,
// a number or an address.
func TestOpenPart(t *testing.T) {
	b, err := json.Marshal(openPart(filled("r")))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for part := range strings.SplitSeq(string(b), `"text of .`) {
		if place, _, ok := strings.Cut(part, `"`); ok && !strings.HasPrefix(part, "{") {
			got = append(got, place)
		}
	}
	want := []string{
		"Of", "Continues", "Parts", "Into", "CallID", "SRC.Name", "SRC.Transport", "EndReason", "Policy", "PolicyFile", "Belonging.Account", "Belonging.Trunk", "Belonging.Plan", "Direction",
		"Reasons", "Streams.ID", "Streams.Media", "Streams.SRTP", "Streams.Directions.Direction", "Streams.Formats.Name", "Streams.Gaps.Cause", "Streams.Gaps.Withheld",
		"Streams.Quality.Reasons", "Streams.Undecoded", "Files.Attribution", "Files.Streams", "Files.SHA256",
		"Decisions.Stream", "Decisions.Verdict", "Decisions.Policy", "Decisions.Causes.Cause", "Decisions.Causes.Flag", "Decisions.Causes.Basis",
		"Metadata.File", "Capture", "Flags", "Interruptions.Cause", "Alarms.Alarm", "Alarms.Cause", "Alarms.Stream", "Alarms.Words",
		"RecordingSessions.CallID", "RecordingSessions.EndReason", "RecordingSessions.SRC.Name", "RecordingSessions.SRC.Transport", "RecordingSessions.Why",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("open are\n%s\nwant\n%s", strings.Join(got, " "), strings.Join(want, " "))
	}
	whole := filled("r")
	whole.Storage = Plain
	if !reflect.DeepEqual(openPart(whole), whole) {
		t.Error("something is left out of a manifest in the clear")
	}
}

func TestSealedManifest(t *testing.T) {
	dir := t.TempDir()
	id, err := NewID(time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := Create(dir, id)
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	master := func(octet byte) seal.Master {
		m, err := seal.ParseMaster(strings.Repeat(fmt.Sprintf("%02x", octet), seal.Size))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	ring := seal.NewRing(master(1))
	if err := ring.Store(folder, id, key); err != nil {
		t.Fatal(err)
	}
	want := filled(id)
	if err := NewCommitter(dir).Finish(folder, want, key); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{ManifestName, sealedManifest} {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || bytes.Contains(b, []byte("Participants")) {
			t.Errorf("%s: %v; it tells of participants", name, err)
		}
	}
	if m, err := Open(dir, id, seal.NewRing(master(2), master(1))); err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("opened: %v, %+v", err, m)
	}
	for _, r := range []*seal.Ring{nil, seal.NewRing(master(2))} {
		m, err := Open(dir, id, r)
		if !errors.Is(err, ErrSealed) || !errors.Is(err, seal.ErrMaster) || m.Recording != id || len(m.Participants) > 0 {
			t.Errorf("with another key: %v, %+v", err, m)
		}
		list, err := ListOpen(dir, r)
		if err != nil || len(list) != 1 || list[0].State != Finished || list[0].Error == "" || len(list[0].People) > 0 || list[0].Files[0] != "01.wav.sealed" {
			t.Errorf("list with another key: %+v, %v", list, err)
		}
	}
	if list, err := ListOpen(dir, ring); err != nil || len(list) != 1 || list[0].Error != "" || len(list[0].People) != 1 {
		t.Errorf("list: %+v, %v", list, err)
	}
	if list, err := List(dir); err != nil || len(list) != 1 || list[0].Error != "" || list[0].Storage != Encrypted {
		t.Errorf("list of what is open: %+v, %v", list, err)
	}

	tomb := Tombstone{Recording: id, By: "somebody", Reason: "request 7"}
	if err := WriteTombstone(folder, tomb); err != nil {
		t.Fatal(err)
	}
	if m, err := Open(dir, id, ring); !errors.Is(err, ErrErased) || m.Recording != id || len(m.Participants) > 0 {
		t.Errorf("erased: %v, %+v", err, m)
	}
	list, err := List(dir)
	if err != nil || len(list) != 1 || list[0].State != Erased || list[0].Erased == nil || list[0].Erased.Reason != "request 7" {
		t.Errorf("list of erased: %+v, %v", list, err)
	}
}
