package recorder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/internal/vault"
	"github.com/siprecd/siprecd/recorder/store"
)

// List returns the recordings below dir, newest first, with the names of people as
// far as masters open them; nil for no master keys.
func List(dir string, masters *MasterKeys) ([]store.Summary, error) {
	return store.ListOpen(dir, masters.ring())
}

// ListNewest returns the newest recordings below dir that are wanted by what the index
// says of them, at most limit unless that is 0, and how many are wanted in all. It reads
// the manifests of no others.
func ListNewest(ctx context.Context, dir string, masters *MasterKeys, limit int, wanted func(store.Entry) bool) (list []store.Summary, all int, err error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	listing, err := store.OpenIndex(dir).Entries(ctx)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range listing.Entries {
		if !wanted(e) {
			continue
		}
		if all++; limit > 0 && all > limit {
			continue
		}
		s, err := store.Summarise(dir, e, masters.ring())
		if err != nil {
			return nil, 0, err
		}
		list = append(list, s)
	}
	return list, all, nil
}

// Load reads the whole manifest of a recording. Errors are those of [store.Open]:
// with one that wraps [store.ErrSealed] or [store.ErrErased] comes the open part.
func Load(dir, id string, masters *MasterKeys) (store.Manifest, error) {
	return store.Open(dir, id, masters.ring())
}

// An opened recording is one whose files can be read.
type opened struct {
	store.Manifest
	folder string
	key    *seal.Key // nil when it is not encrypted
}

// openRecording opens a finished recording.
func openRecording(dir, id string, masters *MasterKeys) (o opened, err error) {
	if o.Manifest, err = Load(dir, id, masters); err != nil {
		return o, err
	}
	if o.folder, err = store.Folder(dir, id); err != nil {
		return o, err
	}
	for _, f := range o.Files {
		if filepath.Base(f.Name) != f.Name {
			return o, fmt.Errorf("%s: the manifest names a file outside its folder", id)
		}
	}
	if o.Storage == store.Encrypted {
		o.key, err = store.Key(o.folder, id, masters.ring())
	}
	return o, err
}

func (o *opened) path(name string) string { return filepath.Join(o.folder, name) }

// Verify reads all of a finished recording below dir, and returns in words what is
// not as its manifest says. The error says that it could not be looked at: see
// [Load].
func Verify(ctx context.Context, dir, id string, masters *MasterKeys) (faults []string, err error) {
	o, err := openRecording(dir, id, masters)
	if err != nil {
		return nil, err
	}
	for _, f := range o.Files {
		switch sum, err := o.sum(ctx, f.Name); {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			faults = append(faults, fmt.Sprintf("%s: %v", f.Name, err))
		case sum != f.SHA256:
			faults = append(faults, fmt.Sprintf("%s: its SHA-256 is %s, and %s in the manifest", f.Name, sum, f.SHA256))
		}
	}
	for _, d := range o.Metadata {
		if _, err := o.sum(ctx, d.File); err != nil {
			faults = append(faults, fmt.Sprintf("%s: %v", d.File, err))
		}
	}
	if _, err := journalLines(o.folder, o.key); err != nil {
		faults = append(faults, err.Error())
	}
	return faults, ctx.Err()
}

// sum is the SHA-256 of the content of a file.
func (o *opened) sum(ctx context.Context, name string) (string, error) {
	r, err := vault.Open(o.path(name), o.key)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, reader{ctx, r})
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, r.Close())
}

// A reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}

// Export writes the files of a finished recording below dir in the clear into a
// folder, which is made when it is not there: a WAV file for each participant, the
// mix, the metadata as it came and the whole manifest. It returns their paths. What
// it writes is read back against the sums of the manifest; what is there under such a
// name is replaced. Errors are those of [Load].
func Export(ctx context.Context, dir, id, to string, masters *MasterKeys) (paths []string, err error) {
	o, err := openRecording(dir, id, masters)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return nil, fmt.Errorf("export %s: %w", id, err)
	}
	m := o.Manifest
	m.Storage = store.Plain
	m.Files, m.Metadata = nil, nil
	taken := make(map[string]string)
	for i, f := range o.Files {
		stored := f.Name
		f.Name = o.exportName(i, f)
		taken[stored] = f.Name
		m.Files = append(m.Files, f)
		path := filepath.Join(to, f.Name)
		if err := o.export(ctx, stored, path, f.SHA256); err != nil {
			return paths, fmt.Errorf("export %s: %w", id, err)
		}
		paths = append(paths, path)
	}
	for _, d := range o.Metadata {
		stored := d.File
		d.File = vault.ClearName(stored)
		m.Metadata = append(m.Metadata, d)
		path := filepath.Join(to, d.File)
		if err := o.export(ctx, stored, path, ""); err != nil {
			return paths, fmt.Errorf("export %s: %w", id, err)
		}
		paths = append(paths, path)
	}
	m.Participants = nil
	for _, p := range o.Participants {
		for i, name := range p.Files {
			p.Files[i] = taken[name]
		}
		m.Participants = append(m.Participants, p)
	}
	if len(o.Files) > 0 {
		path := filepath.Join(to, MixName)
		if err := o.mix(ctx, path); err != nil {
			return paths, fmt.Errorf("export %s: %w", id, err)
		}
		paths = append(paths, path)
	}
	if err := store.Write(to, m); err != nil {
		return paths, fmt.Errorf("export %s: %w", id, err)
	}
	return append(paths, filepath.Join(to, store.ManifestName)), nil
}

// exportName is what a file is called in the clear: after whom it holds.
func (o *opened) exportName(i int, f store.File) string {
	if !vault.IsSealed(f.Name) {
		return f.Name
	}
	if len(f.Participants) == 1 {
		for _, p := range o.Participants {
			if p.ID == f.Participants[0] {
				return fileName(i+1, namesOf(p)...)
			}
		}
	}
	return fileName(i+1, string(f.Attribution))
}

// export copies the content of a file, and compares its SHA-256 when it is known.
func (o *opened) export(ctx context.Context, name, path, want string) error {
	in, err := vault.Open(o.path(name), o.key)
	if err != nil {
		return err
	}
	out, err := vault.Create(path, nil)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, h), reader{ctx, in})
	if sum := hex.EncodeToString(h.Sum(nil)); err == nil && want != "" && sum != want {
		err = fmt.Errorf("%s: its SHA-256 is %s, and %s in the manifest", name, sum, want)
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, in.Close()); err != nil {
		return errors.Join(err, out.Abort())
	}
	return out.Commit()
}

// Rewrap wraps the key of a recording below dir anew under the master key that
// seals, so that the one before may be given up. It reports whether there was
// something to do: a recording without a key, or whose key is wrapped so already,
// stays as it is.
func Rewrap(dir, id string, masters *MasterKeys) (bool, error) {
	folder, err := store.Folder(dir, id)
	if err != nil {
		return false, err
	}
	return masters.ring().Rewrap(folder, id)
}
