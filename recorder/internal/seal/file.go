package seal

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// FileName is the name of the key within the folder of a recording.
const FileName = "key.json"

// Errors that a caller decides by.
var (
	// ErrDestroyed: the recording has no key, or not any more.
	ErrDestroyed = errors.New("recording has no key")
	// ErrMaster: the key is wrapped under a master key that the ring does not hold.
	ErrMaster = errors.New("master key of the recording is not known")
	// ErrKey: the file is damaged, or was made for another recording.
	ErrKey = errors.New("key of the recording cannot be read")
)

// keyFile is the form of the file. Either Key or the other three are there.
type keyFile struct {
	Version int    `json:"version"` // 1
	Key     []byte `json:"key,omitempty"`
	Master  string `json:"master,omitempty"`
	Nonce   []byte `json:"nonce,omitempty"`
	Wrapped []byte `json:"wrapped,omitempty"`
}

const fileVersion = 1

// about is what a wrapped key is bound to.
func about(recording, master string) []byte {
	return []byte("siprecd recording key v1\x00" + master + "\x00" + recording)
}

// Store writes the key of a recording into its folder, readable for its owner
// only, wrapped when the ring seals. There must be none yet. The file is durable
// when it returns; its name is when the folder was synced.
func (r *Ring) Store(folder, recording string, k *Key) (err error) {
	file, err := r.wrap(recording, k)
	if err != nil {
		return fmt.Errorf("store key: %w", err)
	}
	b, err := json.Marshal(file)
	clear(file.Key)
	if err != nil {
		return fmt.Errorf("store key: %w", err)
	}
	defer clear(b)
	path := filepath.Join(folder, FileName)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("store key: %w", err)
	}
	_, err = f.Write(append(b, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("store key: %w", err), os.Remove(path))
	}
	return nil
}

func (r *Ring) wrap(recording string, k *Key) (keyFile, error) {
	if !r.Seals() {
		return keyFile{Version: fileVersion, Key: append([]byte(nil), k.secret[:]...)}, nil
	}
	m := r.masters[0]
	aead, err := m.wrapping()
	if err != nil {
		return keyFile{}, err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := io.ReadFull(rand.Reader, nonce); err != nil {
		return keyFile{}, err
	}
	return keyFile{
		Version: fileVersion, Master: m.id, Nonce: nonce,
		Wrapped: aead.Seal(nil, nonce, k.secret[:], about(recording, m.id)),
	}, nil
}

// Load reads the key of a recording. The error wraps [ErrDestroyed], [ErrMaster]
// or [ErrKey], or is of the file.
func (r *Ring) Load(folder, recording string) (*Key, error) {
	b, err := os.ReadFile(filepath.Join(folder, FileName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("load key of %s: %w", recording, ErrDestroyed)
	case err != nil:
		return nil, fmt.Errorf("load key: %w", err)
	}
	defer clear(b)
	var file keyFile
	if err := json.Unmarshal(b, &file); err != nil || file.Version != fileVersion {
		return nil, fmt.Errorf("load key of %s: %w", recording, ErrKey)
	}
	defer clear(file.Key)
	k := new(Key)
	if file.Master == "" {
		if len(file.Key) != Size {
			return nil, fmt.Errorf("load key of %s: %w", recording, ErrKey)
		}
		copy(k.secret[:], file.Key)
		return k, nil
	}
	if err := r.unwrap(recording, &file, k); err != nil {
		return nil, err
	}
	return k, nil
}

func (r *Ring) unwrap(recording string, file *keyFile, k *Key) error {
	m, ok := r.find(file.Master)
	if !ok {
		return fmt.Errorf("load key of %s: master key %q: %w", recording, file.Master, ErrMaster)
	}
	aead, err := m.wrapping()
	if err != nil {
		return fmt.Errorf("load key of %s: %w", recording, err)
	}
	if len(file.Nonce) != aead.NonceSize() {
		return fmt.Errorf("load key of %s: %w", recording, ErrKey)
	}
	secret, err := aead.Open(nil, file.Nonce, file.Wrapped, about(recording, m.id))
	if err != nil || len(secret) != Size {
		return fmt.Errorf("load key of %s: %w", recording, ErrKey)
	}
	defer clear(secret)
	copy(k.secret[:], secret)
	return nil
}

// Wrapped reports whether the key in a folder is wrapped under a master key. The
// error wraps [ErrDestroyed] or [ErrKey], or is of the file.
func Wrapped(folder string) (bool, error) {
	b, err := os.ReadFile(filepath.Join(folder, FileName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, ErrDestroyed
	case err != nil:
		return false, fmt.Errorf("load key: %w", err)
	}
	defer clear(b)
	var file keyFile
	if err := json.Unmarshal(b, &file); err != nil {
		return false, ErrKey
	}
	clear(file.Key)
	return file.Master != "", nil
}

// Destroy makes everything that is sealed under the key of a folder unreadable:
// the file is overwritten, made durable, removed, and its removal made durable.
// What a file system or a disk keeps of an overwritten file beneath (a journal, a
// snapshot, spare blocks) is beyond it. A key that is gone already is no error.
func Destroy(folder string) error {
	path := filepath.Join(folder, FileName)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("destroy key: %w", err)
	}
	if err := errors.Join(overwrite(f), f.Close()); err != nil {
		return fmt.Errorf("destroy key: %w", err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("destroy key: %w", err)
	}
	if err := syncDir(folder); err != nil {
		return fmt.Errorf("destroy key: %w", err)
	}
	return nil
}

func overwrite(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(make([]byte, info.Size()), 0); err != nil {
		return err
	}
	return f.Sync()
}

func syncDir(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
